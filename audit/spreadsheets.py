"""Tables as CSV whose cells no spreadsheet takes for a formula."""

import csv
from collections.abc import Iterable, Iterator, Sequence

# What a spreadsheet may begin a formula with, also in the wide forms that some read as these; and what some leave out.
_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class _Line:
    """What :mod:`csv` writes to: it gives each line back."""

    def write(self, line: str) -> str:
        return line


def csv_lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Rows as lines of CSV (RFC 4180), one by one; nothing of what was read before is kept."""
    writer = csv.writer(_Line())
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


def cell(value: object) -> str:
    """A value as the text of a cell: an apostrophe goes before what would begin a formula; None is empty."""
    if value is None or isinstance(value, (bool, int, float)):
        return "" if value is None else str(value)
    text = str(value).replace("\0", "\N{REPLACEMENT CHARACTER}")
    return f"'{text}" if text.lstrip(" \N{NO-BREAK SPACE}").startswith(_BEGINS_FORMULA) else text
