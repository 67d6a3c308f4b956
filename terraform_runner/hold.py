"""A claimed run's hold while its worker is busy with it: heartbeat and lease, log, and the wish to stop."""

import itertools
import logging
import threading
import time
from types import TracebackType
from typing import Self

from django.db import Error, connections

from terraform_runner import handing_over, launcher, leases
from terraform_runner.domain.tools import Tools
from terraform_runner.log_sink import LogSink, OnLines
from terraform_runner.models import Run
from terraform_runner.whole_log import WholeLog

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.2
FLUSHES_PER_BEAT = 5


class Hold:
    """Keeps a claimed run alive from a thread of its own, with a connection of its own that it gives back.

    It is the ``Control`` that the executor wants. While the database cannot be reached Terraform goes on for half a
    lease, and heartbeat and log catch up. Leaving it keeps the last lines; how the run ended is for ``claims.finish``.
    """

    def __init__(
        self,
        run: Run,
        *,
        lease_seconds: float = leases.LEASE_SECONDS,
        on_lines: OnLines | None = None,
        whole_log: WholeLog | None = None,
    ) -> None:
        self._run = run
        self._lease_seconds = lease_seconds
        self._held_until = float("-inf")
        self._sink = LogSink(run.pk, on_lines=on_lines, whole_log=whole_log)
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
        self._sink.end()
        self._leaving.set()
        self._thread.join()
        while not self._reach_the_database(beat=False) and launcher.now() < self._held_until:
            time.sleep(FLUSH_SECONDS)

    def lines(self, lines: list[str]) -> None:
        """Take output, already masked; kept within a fraction of a second."""
        self._sink.add(lines)

    def should_stop(self) -> str | None:
        """Why the run has to stop, as of the last heartbeat; None if it may go on."""
        if handing_over.is_asked():
            return "Its worker is being stopped, so another one goes on with it."
        if self._reason is None and not self._thread.is_alive():
            return "The heartbeat of this run has stopped: the worker's log says why."
        return self._reason

    def holds_until(self) -> float:
        """Half a lease after the last heartbeat that reached the database, by the machine's own clock.

        The other half is for the launcher, which has to have ended Terraform before anybody else takes over.
        """
        return self._held_until

    def process_started(self, group: int, started: float) -> None:
        """Write down which process group is about to run, so that it can be ended when this worker is gone.

        Raises HoldLost if this worker does not hold the run any more.
        """
        leases.note_process(self._run, group=group, started=started)

    def begins(self, tools: Tools) -> None:
        """Write down by what the run is done. Raises HoldLost if this worker does not hold it any more."""
        leases.note_tools(self._run, tools)

    def _keep(self) -> None:
        try:
            for turn in itertools.count():
                self._reach_the_database(beat=turn % FLUSHES_PER_BEAT == 0)
                if self._leaving.wait(FLUSH_SECONDS):
                    return
        finally:
            connections.close_all()

    def _reach_the_database(self, *, beat: bool) -> bool:
        try:
            if beat:
                self._beat()
            self._sink.flush()
        except Error:
            logger.warning("The database cannot be reached by run %s.", self._run.pk, exc_info=True)
            connections.close_all()
            return False
        return True

    def _beat(self) -> None:
        asked_at = launcher.now()
        if not leases.renew(self._run, lease_seconds=self._lease_seconds):
            self._reason = "This run was ended by somebody else, so its worker stops."
            return
        self._held_until = asked_at + self._lease_seconds / 2
        asked = leases.running(self._run).exclude(cancel_requested_at=None)
        reason = asked.values_list("cancel_reason", flat=True).first()
        if reason is not None:
            self._reason = reason or "Somebody asked this run to stop."
