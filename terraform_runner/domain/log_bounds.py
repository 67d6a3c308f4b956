"""How much of a log is kept: its beginning and its end, with a note between them of what is missing."""

from collections import deque
from collections.abc import Iterable

LAST_LINES = 100

# What pages show. The database has it, and a browser stays quick with it.
PAGE_LINES = 20_000
PAGE_BYTES = 4_000_000
# What is kept to be downloaded.
WHOLE_BYTES = 50_000_000


class Bounds:
    """Lets lines through while there are not too many, then only remembers the last ones.

    ``size`` is in bytes of UTF-8 with a line feed after each line; ``note`` says that lines are missing.
    """

    def __init__(self, *, size: int, note: str, lines: int | None = None) -> None:
        # Room for the note and the last lines, which come at the end.
        self._lines_left = float("inf") if lines is None else lines - LAST_LINES - 1
        self._bytes_left = size
        self._note = note
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._left_out = 0

    def take(self, lines: Iterable[str]) -> list[str]:
        """Those of the next lines that are within the bounds."""
        return [line for line in lines if self._fits(line)]

    def end(self) -> list[str]:
        """Once all lines were taken: the last of those that did not fit, after the note if some are missing."""
        return [self._note, *self._last] if self._left_out > len(self._last) else list(self._last)

    def _fits(self, line: str) -> bool:
        self._lines_left -= 1
        self._bytes_left -= size_of(line)
        if self._left_out == 0 and self._lines_left >= 0 and self._bytes_left >= 0:
            return True
        self._left_out += 1
        self._last.append(line)
        return False


def size_of(line: str) -> int:
    """How many bytes a line takes with the end of line."""
    return (len(line) if line.isascii() else len(line.encode())) + 1


def page_bounds() -> Bounds:
    """The bounds of what pages show."""
    return Bounds(
        lines=PAGE_LINES,
        size=PAGE_BYTES,
        note="… (here lines are left out on this page: “Download all” has them; these are the last ones)",
    )


def whole_bounds() -> Bounds:
    """The bounds of what is kept at all."""
    kept = WHOLE_BYTES // 1_000_000
    return Bounds(
        size=WHOLE_BYTES, note=f"… (cut here: {kept} MB of a log are kept; these are the last lines)"
    )
