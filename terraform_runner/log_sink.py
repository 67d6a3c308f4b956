"""Where a run's output goes: chunks of lines in the database, written by whoever calls ``flush``."""

import threading
from collections.abc import Callable, Sequence
from uuid import UUID

from django.db import transaction

from terraform_runner.models import LogChunk

# Called in the transaction that keeps the lines: (run, number of the first line, lines).
OnLines = Callable[[UUID, int, Sequence[str]], None]


class LogSink:
    """Collects lines from one thread and keeps them from another.

    ``add`` never waits for the database, so that Terraform never does. After an error of the database
    ``flush`` may be called again: nothing is lost, and what was kept before the error is not kept twice.
    """

    def __init__(self, run_id: UUID, *, on_lines: OnLines | None = None) -> None:
        self._run_id = run_id
        self._on_lines = on_lines
        self._lock = threading.Lock()
        self._added: list[str] = []
        self._chunk: list[str] = []
        self._first_line = 0

    def add(self, lines: Sequence[str]) -> None:
        """Take lines, already masked."""
        with self._lock:
            self._added.extend(lines)

    def flush(self) -> None:
        """Keep what was added so far, as one chunk. Raises django.db.Error; then call it again later."""
        if not self._chunk:
            with self._lock:
                self._chunk, self._added = self._added, []
        if self._chunk:
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
