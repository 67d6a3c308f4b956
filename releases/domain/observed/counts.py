"""What the load balancer's counts say after a rollback: whether what was set in the rules is seen in the requests.

Whole minutes that began after the traffic was back are looked at: in the minute before, both sides may have been asked.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# CloudWatch has a minute's requests a few minutes after it; what is not there by then does not come.
LATE = timedelta(minutes=10)
# A side that is led to by anything else shows itself within this time.
LOOKED_AT_FOR = timedelta(minutes=15)


class Verdict(StrEnum):
    """What the counts say."""

    TOO_EARLY = "too-early"
    """Nothing was counted, and may be yet."""
    AGREES = "agrees"
    """Requests were counted, and all of them on the safe side."""
    DIFFERS = "differs"
    """The other side was sent requests."""
    NO_DATA = "no-data"
    """Nothing was counted, and nothing more will be: that is no pass."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Requests since a moment, by side; None where nothing was heard of it."""

    since: datetime
    safe: int | None
    other: int | None


def first_whole_minute(back_at: datetime) -> datetime:
    """The first minute that has no moment before the traffic was back."""
    begun = back_at.replace(second=0, microsecond=0)
    return begun if begun == back_at else begun + timedelta(minutes=1)


def verdict(counted: Counted, moment: datetime) -> Verdict:
    """What the counts say at a moment. Silence about the other side says nothing where both are silent."""
    if counted.other:
        return Verdict.DIFFERS
    if counted.safe:
        return Verdict.AGREES
    return Verdict.TOO_EARLY if moment < counted.since + LATE else Verdict.NO_DATA
