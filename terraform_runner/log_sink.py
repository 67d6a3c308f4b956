"""Where a run's output goes: what pages show to the database, by whoever calls ``flush``; all of it to a file."""

import threading
from collections.abc import Callable, Sequence
from uuid import UUID

from django.db import transaction

from terraform_runner.domain.log_bounds import page_bounds
from terraform_runner.models import LogChunk
from terraform_runner.whole_log import WholeLog

# Called in the transaction that keeps the lines: (run, number of the first line, lines).
OnLines = Callable[[UUID, int, Sequence[str]], None]


class LogSink:
    """Collects lines from one thread and keeps them from another.

    ``add`` never waits for the database, so that Terraform never does. After an error of the database
    ``flush`` may be called again: nothing is lost, and what was kept before the error is not kept twice.
    """

    def __init__(
        self, run_id: UUID, *, on_lines: OnLines | None = None, whole_log: WholeLog | None = None
    ) -> None:
        self._run_id = run_id
        self._on_lines = on_lines
        self._whole_log = whole_log
        self._page = page_bounds()
        self._lock = threading.Lock()
        self._added: list[str] = []
        self._chunk: list[str] = []
        self._first_line = 0

    def add(self, lines: Sequence[str]) -> None:
        """Take lines, already masked."""
        if self._whole_log is not None:
            self._whole_log.write(lines)
        with self._lock:
            self._added.extend(self._page.take(lines))

    def end(self) -> None:
        """Say that no more lines come: the whole log goes to its store, the last ones are still to be flushed."""
        problem = self._whole_log.close() if self._whole_log is not None else ""
        with self._lock:
            self._added.extend([*self._page.end(), problem] if problem else self._page.end())

    def flush(self) -> None:
        """Keep what was added so far, in chunks. Raises django.db.Error; then call it again later."""
        while self._chunk or self._added:
            if not self._chunk:
                with self._lock:
                    self._chunk, self._added = self._added, []
            self._keep()

    def _keep(self) -> None:
        chunk = LogChunk(run_id=self._run_id, first_line=self._first_line, lines=self._chunk)
        with transaction.atomic():
            # A chunk that is there already was committed by an earlier try whose answer got lost.
            LogChunk.objects.bulk_create([chunk], ignore_conflicts=True)
            if self._on_lines is not None:
                self._on_lines(self._run_id, self._first_line, self._chunk)
        self._first_line += len(self._chunk)
        self._chunk = []
