"""What came of the releases of a period, in figures; `docs/reports.md` defines each. All times are aware."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

FEWEST_FOR_P90 = 10
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


@dataclass(frozen=True, kw_only=True)
class Period:
    """From `begins` on, and before `ends`."""

    begins: datetime
    ends: datetime

    def __contains__(self, moment: datetime | None) -> bool:
        return moment is not None and self.begins <= moment < self.ends

    @property
    def days(self) -> float:
        """Its length."""
        return (self.ends - self.begins) / timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class ReleaseTimes:
    """When what happened to a release, as the trail has it; None for what did not.

    `users_at` is when users were first sent to its version, `everyone_at` when it had all of them; `pressed_at` is the
    emergency button that took it back, `back_at` when the traffic was back.
    """

    requested_at: datetime | None = None
    users_at: datetime | None = None
    everyone_at: datetime | None = None
    pressed_at: datetime | None = None
    back_at: datetime | None = None
    rejected_at: datetime | None = None
    cancelled_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Of so many durations, in seconds: the median, and what nine of ten do not exceed; None with too few."""

    count: int
    median: float | None
    p90: float | None

    @property
    def words(self) -> str:
        """For a page."""
        if self.median is None:
            return "not enough data"
        most = in_words(self.p90) if self.p90 is not None else f"not enough data for 90 % ({self.count})"
        return f"{in_words(self.median)} (median), {most}" + (" (90 %)" if self.p90 is not None else "")


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures of a period; `failure_percent` is None where users were sent nowhere."""

    requested: int
    deployed: int
    deployed_per_week: float
    changed: int
    failed: int
    failure_percent: float | None
    rejected: int
    cancelled: int
    rollbacks: int
    lead_time: Spread
    time_to_restore: Spread
    button: Spread
    waits: Spread

    @property
    def failure_words(self) -> str:
        """For a page."""
        if self.failure_percent is None:
            return "not enough data"
        return f"{self.failure_percent:g} % ({self.failed} of {self.changed})"


def figures(releases: Sequence[ReleaseTimes], waits: Iterable[float], period: Period) -> Figures:
    """Count the releases, each figure by the moment that it is about; `waits` are seconds."""
    deployed = [release for release in releases if release.everyone_at in period]
    changed = [release for release in releases if release.users_at in period]
    pressed = [release for release in releases if release.pressed_at in period]
    failed = sum(release.pressed_at is not None for release in changed)
    return Figures(
        requested=sum(release.requested_at in period for release in releases),
        deployed=len(deployed),
        deployed_per_week=round(7 * len(deployed) / period.days, 1),
        changed=len(changed),
        failed=failed,
        failure_percent=round(100 * failed / len(changed), 1) if changed else None,
        rejected=sum(release.rejected_at in period for release in releases),
        cancelled=sum(release.cancelled_at in period for release in releases),
        rollbacks=len(pressed),
        lead_time=spread(_between(release.requested_at, release.everyone_at) for release in deployed),
        time_to_restore=spread(_between(release.users_at, release.back_at) for release in pressed),
        button=spread(_between(release.pressed_at, release.back_at) for release in pressed),
        waits=spread(waits),
    )


def spread(seconds: Iterable[float | None]) -> Spread:
    """The median and the 90th percentile (nearest rank) of what is known."""
    known = sorted(one for one in seconds if one is not None)
    if not known:
        return Spread(count=0, median=None, p90=None)
    enough = len(known) >= FEWEST_FOR_P90
    return Spread(
        count=len(known),
        median=median(known),
        p90=known[math.ceil(0.9 * len(known)) - 1] if enough else None,
    )


def in_words(seconds: float) -> str:
    """A duration as one says it: "0.3 s", "12 min", "5 h", "3 days"."""
    for size, unit in ((_DAY, "days"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def _between(begin: datetime | None, end: datetime | None) -> float | None:
    return (end - begin).total_seconds() if begin and end and end >= begin else None
