"""A claimed run's hold while its worker is busy with it: heartbeat, log, and the wish to stop."""

import itertools
import logging
import threading
from types import TracebackType
from typing import Self

from django.db import Error, connections
from django.db.models.functions import Now

from terraform_runner.domain.runs import RunStatus
from terraform_runner.errors import HoldLost
from terraform_runner.log_sink import LogSink, OnLines
from terraform_runner.models import Run

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.2
FLUSHES_PER_BEAT = 5


class Hold:
    """Keeps a claimed run alive from a thread of its own, with a connection of its own that it gives back.

    It is the ``Control`` that the executor wants. While the database cannot be reached Terraform goes on, and
    heartbeat and log catch up. Leaving it keeps the last lines; how the run ended is for ``claims.finish``.
    """

    def __init__(self, run: Run, *, on_lines: OnLines | None = None) -> None:
        self._mine = Run.objects.filter(pk=run.pk, status=RunStatus.RUNNING, worker=run.worker)
        self._sink = LogSink(run.pk, on_lines=on_lines)
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"hold-{run.pk}", daemon=True)
        self._reason: str | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._leaving.set()
        self._thread.join()
        self._sink.flush()

    def lines(self, lines: list[str]) -> None:
        """Take output, already masked; kept within a fraction of a second."""
        self._sink.add(lines)

    def should_stop(self) -> str | None:
        """Why the run has to stop, as of the last heartbeat; None if it may go on."""
        if self._reason is None and not self._thread.is_alive():
            return "The heartbeat of this run has stopped: the worker's log says why."
        return self._reason

    def process_started(self, group: int, started: float) -> None:
        """Write down which process group runs, so that it can be ended when this worker is gone.

        Raises HoldLost if this worker does not hold the run any more.
        """
        if self._mine.update(process_group=group, process_started=started) != 1:
            raise HoldLost("This run was ended by somebody else, so its worker stops.")

    def _keep(self) -> None:
        try:
            for turn in itertools.count():
                self._reach_the_database(beat=turn % FLUSHES_PER_BEAT == 0)
                if self._leaving.wait(FLUSH_SECONDS):
                    return
        finally:
            connections.close_all()

    def _reach_the_database(self, *, beat: bool) -> None:
        try:
            if beat:
                self._beat()
            self._sink.flush()
        except Error:
            logger.warning("The database cannot be reached; the run goes on.", exc_info=True)
            connections.close_all()

    def _beat(self) -> None:
        if self._mine.update(heartbeat_at=Now()) != 1:
            self._reason = "This run was ended by somebody else, so its worker stops."
            return
        asked = self._mine.exclude(cancel_requested_at=None).values_list("cancel_reason", flat=True).first()
        if asked is not None:
            self._reason = asked or "Somebody asked this run to stop."
