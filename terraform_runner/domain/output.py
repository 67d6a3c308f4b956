"""Makes lines that can be stored and shown out of whatever a program prints, within bounds."""

import re
from collections import deque

from terraform_runner.domain.redaction import Redactor

LINE_CHARACTERS = 10_000
# A secret at the end of what was read of a long line may be there in part only, and then nothing recognises it: so
# much more is read than is shown. Longer than any secret in one line.
OVERLAP = 4_000
MOST_LINES = 20_000
MOST_CHARACTERS = 4_000_000
LAST_LINES = 100

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC: titles, links, clipboard
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\)?"  # DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-~]?"  # the rest
)
# Control characters but the tab, and what turns the direction of text or breaks lines.
_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Output:
    """One command's output, from bytes to masked lines of bounded length and number.

    ``recent`` are the last lines, also of those that are beyond the bounds.
    """

    def __init__(self, redactor: Redactor) -> None:
        self.recent: deque[str] = deque(maxlen=LAST_LINES)
        self._redactor = redactor
        self._line = bytearray()
        self._line_bytes = 0
        self._passed_lines = 0
        self._passed_characters = 0
        self._left_out = 0

    def feed(self, data: bytes) -> list[str]:
        """Take the next bytes; give the lines which that completes."""
        *ends, rest = data.split(b"\n")
        lines = []
        for part in ends:
            self._extend(part)
            lines.extend(self._pass(self._take_line()))
        self._extend(rest)
        return lines

    def end(self) -> list[str]:
        """The unfinished last line; then, if lines had to be left out, a note and the last ones of them."""
        lines = self._pass(self._take_line()) if self._line_bytes else []
        if not self._left_out:
            return lines
        last = list(self.recent)[-self._left_out :]
        return [*lines, f"… ({self._left_out - len(last)} lines left out)", *last]

    def _extend(self, part: bytes) -> None:
        self._line_bytes += len(part)
        self._line += part[: max(0, LINE_CHARACTERS + OVERLAP - len(self._line))]

    def _take_line(self) -> str:
        left_out = self._line_bytes > len(self._line)
        text = self._redactor.mask(clean(self._line.decode("utf-8", "replace")))
        kept = (
            text[: min(LINE_CHARACTERS, len(text) - OVERLAP * left_out)]
            if left_out
            else text[:LINE_CHARACTERS]
        )
        if len(kept) < len(text):
            kept += f" … (the first part of a line of {self._line_bytes} bytes)"
        self._line.clear()
        self._line_bytes = 0
        return kept

    def _pass(self, line: str) -> list[str]:
        self.recent.append(line)
        within = self._passed_lines < MOST_LINES and self._passed_characters + len(line) <= MOST_CHARACTERS
        if self._left_out or not within:
            self._left_out += 1
            return []
        self._passed_lines += 1
        self._passed_characters += len(line)
        return [line]


def clean(text: str) -> str:
    """Text without terminal sequences, control characters and changes of direction."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text))
