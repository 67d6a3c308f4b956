"""Doing again what the database did not take: a deadlock, or a database that is away for a while.

Only for what is one transaction, or none: it was taken back whole.
"""

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError, connection
from psycopg import errors

from releases.domain.errors import IllegalChange

logger = logging.getLogger(__name__)

Given = ParamSpec("Given")
Result = TypeVar("Result")

# The last one: this process was stopped in the middle of a transaction for too long.
DATABASE_AWAY = (OperationalError, InterfaceError, InternalError)
# Django calls these OperationalError as well: the transaction has lost against another one.
_LOST = (errors.DeadlockDetected, errors.SerializationFailure)
_MOST_LOSSES = 3
PAUSE_SECONDS = 0.5


class Overtaken(IllegalChange):
    """Another transaction was faster: this one was taken back whole, and can be tried again."""


def patient(act: Callable[Given, Result]) -> Callable[Given, Result]:
    """Do it again after a deadlock a few times, and for a lease's time while the database is away."""

    @wraps(act)
    def again_and_again(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        losses, deadline = 0, time.monotonic() + settings.LEASE_SECONDS
        while True:
            try:
                return act(*args, **kwargs)
            except (Overtaken, *DATABASE_AWAY) as error:
                losses += isinstance(error, Overtaken) or is_lost(error)
                if connection.in_atomic_block or losses >= _MOST_LOSSES or time.monotonic() > deadline:
                    raise
                logger.warning("once more, since the database did not take it: %s", error)
                connection.close()
                time.sleep(PAUSE_SECONDS)

    return again_and_again


def is_lost(error: BaseException) -> bool:
    """Whether another transaction was faster, and this one was taken back for its sake."""
    return isinstance(error.__cause__, _LOST)
