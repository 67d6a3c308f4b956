"""Whether a rollback is seen in the load balancer's counts, for the page after the press."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from releases.domain.observed.counts import LATE, Counted, Verdict, first_whole_minute, verdict
from releases.models import EmergencyRollback, TrafficCount
from releases.views.shown.traffic import ColorShown

_SIGNS = {Verdict.AGREES: ("ok", "✓"), Verdict.DIFFERS: ("bad", "✕"), Verdict.NO_DATA: ("warn", "?")}
_TITLES = {
    Verdict.AGREES: "Seen in the counts",
    Verdict.DIFFERS: "The counts differ",
    Verdict.NO_DATA: "The counts say nothing",
    Verdict.TOO_EARLY: "Not counted yet",
}


@dataclass(frozen=True, kw_only=True)
class CountShown:
    """A line of the page: ``tone`` and ``sign``, the two parts of its text, and when the counts were last read.

    ``is_final`` where nothing more is to be waited for.
    """

    tone: str
    sign: str
    title: str
    text: str
    read_at: datetime | None
    is_final: bool


def counted_of(
    rollback: EmergencyRollback, found: TrafficCount | None, *, to: ColorShown, away: ColorShown
) -> CountShown | None:
    """None while the traffic is not back."""
    if rollback.traffic_back_at is None:
        return None
    counted = Counted(
        since=found.since if found else first_whole_minute(rollback.traffic_back_at),
        safe=found.safe if found else None,
        other=found.other if found else None,
    )
    moment = timezone.now()
    said = verdict(counted, moment)
    tone, sign = _SIGNS.get(said, ("warn", "…"))
    return CountShown(
        tone=tone,
        sign=sign,
        title=_TITLES[said],
        text=_text(said, counted, to=to, away=away) + _not_read(found, moment, counted),
        read_at=found.read_at if found else None,
        is_final=said is not Verdict.TOO_EARLY,
    )


def _text(said: Verdict, counted: Counted, *, to: ColorShown, away: ColorShown) -> str:
    safe, other, since = to.color.upper(), away.color.upper(), f"since {counted.since:%H:%M} UTC"
    match said:
        case Verdict.AGREES:
            return f"{counted.safe} requests {since} went to {safe}, and none to {other}"
        case Verdict.DIFFERS:
            return (
                f"{other} was sent {counted.other} requests {since}, {safe} {counted.safe or 0}: look whether anything "
                "else leads there, such as another rule"
            )
        case Verdict.NO_DATA:
            return (
                f"CloudWatch has no request to either side {since}. Nobody asked, or its metrics do not arrive: "
                "where users are is known from the rules alone"
            )
        case Verdict.TOO_EARLY:
            return f"CloudWatch counts whole minutes, the first {since}, and is late by some minutes"


def _not_read(found: TrafficCount | None, moment: datetime, counted: Counted) -> str:
    if found is not None:
        return f". They could not be read: {found.problem}" if found.problem else ""
    overdue = moment > counted.since + LATE
    return ". Nobody has read them: that takes a worker and the scheduler" if overdue else ""
