"""The end of a step's log, to which the stream adds lines."""

from typing import Any

from releases import selectors
from releases.models import Step
from terraform_runner import selectors as runs
from terraform_runner.models import Run

TAIL = 200
WHOLE = 5000


def log_tail(step: Step) -> dict[str, Any]:
    """The runs of a step, newest first, and the last lines of the newest; the stream goes on at ``next_line``."""
    found = selectors.runs_of_step(step)
    run = found[0] if found else None
    first, lines = _last_lines(run) if run else (0, [])
    return {"runs": found, "run": run, "lines": lines, "next_line": first + len(lines), "first_line": first}


def whole_log(run: Run | None) -> list[tuple[int, str]]:
    """The lines of a run, as many as a page takes."""
    return runs.list_lines(run.pk, limit=WHOLE) if run else []


def _last_lines(run: Run) -> tuple[int, list[tuple[int, str]]]:
    count = selectors.count_lines(run)
    first = max(0, count - TAIL)
    return first, runs.list_lines(run.pk, after=first, limit=TAIL)
