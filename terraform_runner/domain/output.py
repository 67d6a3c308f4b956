"""Makes lines that can be stored and shown out of whatever a program prints, within bounds."""

import re
from collections import deque
from dataclasses import dataclass

from terraform_runner.domain.log_bounds import LAST_LINES, WHOLE_BYTES, size_of
from terraform_runner.domain.redaction import Redactor

LINE_CHARACTERS = 10_000
# A secret at the end of what was read of a long line may be there in part only, and then nothing recognises it: so
# much more is read than is shown. Longer than any secret in one line.
OVERLAP = 4_000
# What comes after so much is left out, but for the last lines: looking at it all would hold the program up.
MOST_BYTES = WHOLE_BYTES

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC: titles, links, clipboard
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\)?"  # DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-~]?"  # the rest
)
# Control characters but the tab, and what turns the direction of text or breaks lines.
_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class _Line:
    """As much of a line's bytes as is looked at, and how many there were."""

    beginning: bytes
    size: int


class Output:
    """One command's output, from bytes to masked lines of bounded length, of which not too many are passed on."""

    def __init__(self, redactor: Redactor) -> None:
        self._recent: deque[_Line] = deque(maxlen=LAST_LINES)
        self._redactor = redactor
        self._line = bytearray()
        self._line_bytes = 0
        self._passed_bytes = 0
        self._left_out = 0

    @property
    def recent(self) -> list[str]:
        """The last lines, also of those that were not passed on."""
        return [self._readable(line) for line in self._recent]

    def feed(self, data: bytes) -> list[str]:
        """Take the next bytes; give the lines which that completes."""
        *ends, rest = data.split(b"\n")
        lines = []
        for part in ends:
            self._extend(part)
            lines.extend(self._take_line())
        self._extend(rest)
        return lines

    def end(self) -> list[str]:
        """The unfinished last line; then, if lines had to be left out, a note and the last ones of them."""
        lines = self._take_line() if self._line_bytes else []
        if not self._left_out:
            return lines
        return [*lines, "… (lines left out)", *self.recent[-self._left_out :]]

    def _extend(self, part: bytes) -> None:
        self._line_bytes += len(part)
        self._line += part[: max(0, LINE_CHARACTERS + OVERLAP - len(self._line))]

    def _take_line(self) -> list[str]:
        line = _Line(beginning=bytes(self._line), size=self._line_bytes)
        self._line.clear()
        self._line_bytes = 0
        self._recent.append(line)
        if self._left_out or self._passed_bytes >= MOST_BYTES:
            self._left_out += 1
            return []
        readable = self._readable(line)
        self._passed_bytes += size_of(readable)
        return [readable]

    def _readable(self, line: _Line) -> str:
        is_cut = line.size > len(line.beginning)
        text = self._redactor.mask(clean(line.beginning.decode("utf-8", "replace")))
        kept = text[: min(LINE_CHARACTERS, len(text) - OVERLAP * is_cut)]
        return kept if len(kept) == len(text) else f"{kept} … (the first part of a line of {line.size} bytes)"


def clean(text: str) -> str:
    """Text without terminal sequences, control characters and changes of direction."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text))
