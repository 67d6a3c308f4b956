"""A lock that Terraform has left on a state: what it says of itself, and whose it is.

Terraform of a dead run does not take its lock away where that is an object in a bucket; one on a file is freed by the
operating system. Who is locked out has to know whether the lock is one's own.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from terraform_runner.domain.runs import Operation

# A lock has the time of the machine that took it, a run that of the database.
TOLERANCE = timedelta(seconds=30)
OPERATIONS = {"OperationTypePlan": Operation.PLAN, "OperationTypeApply": Operation.APPLY}


@dataclass(frozen=True, kw_only=True)
class StateLock:
    """What the lock says: ``who`` is "user@host", ``operation`` is in Terraform's words."""

    id: str
    who: str
    operation: str
    created: datetime


@dataclass(frozen=True, kw_only=True)
class EndedRun:
    """A run that has ended without freeing what it held: by whom on which machine, and from when to when."""

    user: str
    host: str
    operation: Operation
    began: datetime
    ended: datetime


def parse_lock(content: bytes) -> StateLock | None:
    """The lock that an object is; None if it is not one that Terraform has written."""
    try:
        found = json.loads(content)
        return StateLock(
            id=str(found["ID"]),
            who=str(found["Who"]),
            operation=str(found["Operation"]),
            created=_aware(datetime.fromisoformat(str(found["Created"]))),
        )
    except (ValueError, TypeError, KeyError):
        return None


def is_left_by(run: EndedRun, lock: StateLock) -> bool:
    """Whether this run took the lock: by its machine, its user and its operation, and within its life."""
    return (
        lock.who == f"{run.user}@{run.host}"
        and OPERATIONS.get(lock.operation) is run.operation
        and run.began - TOLERANCE <= lock.created <= run.ended + TOLERANCE
    )


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment
