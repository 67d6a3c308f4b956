"""Whether a worker hears its queue: it sends echoes through that very queue, and starts again when nothing comes back.

A Celery worker can be connected to its broker and yet take nothing more, which nothing else would notice. An echo may
be taken by another worker of the queue, but those that wait for a message are served in turn: who hears none of many
is deaf.
"""

import logging
import threading
from collections.abc import Callable

from celery import current_app
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

TASK = "releases.echo"
SECONDS = 5.0
MOST_UNHEARD = 6


class Echo:
    """Sends an echo every few seconds, from a thread of its own in the worker's main process.

    ``is_free`` says whether the worker takes messages at all: while all of it is busy it does not, and need not.
    ``when_deaf`` is called once.
    """

    def __init__(self, queue: str, *, is_free: Callable[[], bool], when_deaf: Callable[[], None]) -> None:
        self._queue, self._is_free, self._when_deaf = queue, is_free, when_deaf
        self._unheard = 0
        self._leaving = threading.Event()

    def start(self) -> None:
        """From now on."""
        threading.Thread(target=self._go_on, name="echo", daemon=True).start()

    def stop(self) -> None:
        """Send no more."""
        self._leaving.set()

    def heard(self) -> None:
        """A message has arrived, whichever."""
        self._unheard = 0

    def beat(self) -> None:
        """Send one more. Counted are those that the broker took, not the seconds: a machine may have slept."""
        if not self._is_free():
            self._unheard = 0
        elif self._unheard >= MOST_UNHEARD:
            self._leaving.set()
            self._when_deaf()
        else:
            self._unheard += 1
            if not self._send():
                self._unheard = 0

    def _go_on(self) -> None:
        while not self._leaving.wait(SECONDS):
            self.beat()

    def _send(self) -> bool:
        try:
            current_app.send_task(TASK, queue=self._queue, expires=SECONDS * MOST_UNHEARD, ignore_result=True)
        except (OperationalError, OSError) as error:
            logger.warning("the broker takes nothing (%s)", error)
            return False
        return True
