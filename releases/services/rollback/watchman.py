"""The thread that watches after presses, in each web and worker process: it needs no broker and waits for no run."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.db import Error, connections

from releases.models import Service, Watch
from releases.services.execution.patience import DATABASE_AWAY
from releases.services.rollback import fresh_looks, kept_presses, rollbacks, safe_traffic, watches
from releases.services.rollback.kept_presses import Pressing

logger = logging.getLogger(__name__)

# Two readings of a service's rules a second at the most.
TURN_SECONDS = 0.5
# After each try that failed twice as long as before it, from the one up to the other.
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0


@dataclass
class _Looking:
    """At one thing: the look that goes on or was the last, and when the next may follow."""

    going: Future[None] | None = None
    pause: float = 0.0
    not_before: float = 0.0

    @property
    def is_going_on(self) -> bool:
        return self.going is not None and not self.going.done()

    def ended(self, *, well: bool) -> None:
        self.pause = 0.0 if well else min(2 * (self.pause or FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
        self.not_before = time.monotonic() + self.pause


class Watchman:
    """Looks after the watches of this process, takes over those of a silent one, and records what waits in files.

    Each service is looked after by itself: an AWS that does not answer for one holds up no other. Where its process may
    hold no AWS credentials it only records (``has_aws``). It also sees to the looks that its pages want.
    """

    def __init__(self, name: str, *, has_aws: bool = True) -> None:
        self._name = name
        self._has_aws = has_aws
        self._watches: list[Watch] = []
        self._looking: dict[str, _Looking] = {}
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="watch")
        # Of their own, so that no watch waits for them.
        self._looks = ThreadPoolExecutor(max_workers=2, thread_name_prefix="look")
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._watch_on, name="watchman", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Leave the watches to other processes."""
        self._leaving.set()
        self._thread.join()
        self._threads.shutdown(cancel_futures=True)
        self._looks.shutdown(cancel_futures=True)

    def turn(self) -> None:
        """Begin one look at everything that is this process's now, but for what is still being looked at."""
        try:
            self._watches = watches.take(self._name) if self._has_aws else []
        except Error:
            logger.warning("the database cannot be reached: the present watches go on", exc_info=True)
            connections.close_all()
        looks = {f"watch {watch.pk}": partial(watches.look, watch) for watch in self._watches}
        for pressing in kept_presses.kept():
            looks[f"record {pressing.id}"] = partial(record, pressing)
            if self._has_aws:
                looks[f"watch {pressing.id}"] = partial(look_after, pressing)
        for service_id in fresh_looks.take_wanted():
            self._looks.submit(self._see_to, service_id)
        self._looking = {
            key: looking for key, looking in self._looking.items() if key in looks or looking.is_going_on
        }
        for key, look in looks.items():
            self._begin(self._looking.setdefault(key, _Looking()), look)

    def _watch_on(self) -> None:
        while not self._leaving.is_set():
            try:
                self.turn()
            except Exception:
                logger.exception("a turn of the watch failed; the next one follows")
            self._leaving.wait(TURN_SECONDS)
        connections.close_all()

    def _begin(self, looking: _Looking, look: Callable[[], bool]) -> None:
        if not looking.is_going_on and time.monotonic() >= looking.not_before:
            looking.going = self._threads.submit(self._look, looking, look)

    def _see_to(self, service_id: UUID) -> None:
        try:
            fresh_looks.see_to(service_id, has_aws=self._has_aws)
        except Exception:
            logger.exception("a look at whether the other side is ready failed")
        finally:
            connections.close_all()

    def _look(self, looking: _Looking, look: Callable[[], bool]) -> None:
        is_well = False
        try:
            is_well = look()
        except Exception:
            logger.exception("a look after a press failed; another one follows")
        finally:
            connections.close_all()
            looking.ended(well=is_well)


def record(pressing: Pressing) -> bool:
    """Record a kept press, or leave it for the next turn; there is nothing that a pause would be good for."""
    try:
        rollbacks.record_kept(pressing)
    except Service.DoesNotExist:
        logger.warning("the press %s is of a service that is not there: it is put aside", pressing.id)
        kept_presses.put_aside(pressing)
    except DATABASE_AWAY:
        logger.warning("the press for %s still waits for the database", pressing.traffic.service)
    else:
        kept_presses.forget(pressing)
    return True


def look_after(pressing: Pressing) -> bool:
    """Set the rules again that lead elsewhere, while the database takes nothing. Whether they are as wanted."""
    return not (
        safe_traffic.problem_read_back(pressing.traffic) and safe_traffic.bring_back(pressing.traffic)
    )
