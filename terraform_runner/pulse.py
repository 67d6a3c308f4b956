"""Says every few seconds that this process is there, from a thread of its own."""

import logging
import threading
from collections.abc import Sequence

from django.db import Error, connections

from terraform_runner import workers

logger = logging.getLogger(__name__)

SECONDS = 5.0


class Pulse:
    """The pulse of one worker; it gives its connection back after each beat."""

    def __init__(self, name: str, *, queues: Sequence[str], problem: str = "") -> None:
        self._name = name
        self._queues = list(queues)
        self._problem = problem
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name="pulse", daemon=True)

    def start(self) -> None:
        """Say it at once, and from then on."""
        self._thread.start()

    def stop(self) -> None:
        """Say that this worker has ended in good order."""
        self._leaving.set()
        self._thread.join()
        self._reach_the_database(leaving=True)

    def _beat_on(self) -> None:
        while not self._leaving.is_set():
            self._reach_the_database(leaving=False)
            self._leaving.wait(SECONDS)

    def _reach_the_database(self, *, leaving: bool) -> None:
        try:
            if leaving:
                workers.note_gone(self._name)
            else:
                workers.note_seen(self._name, queues=self._queues, problem=self._problem)
        except Error:
            logger.warning("The database cannot be reached; this worker is not seen.", exc_info=True)
        finally:
            connections.close_all()
