"""The traffic of a release over time, as a picture: a staircase from the request to the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

WIDTH, HEIGHT = 640, 140
_BETWEEN_LABELS = 16
_MOST_TOLD = 8


@dataclass(frozen=True, kw_only=True)
class TrafficMoment:
    """From `at` on `share` percent of the users had the new version, and the canary as well where it was on."""

    at: datetime
    share: int
    canary: bool
    what: str


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Where a moment is in the picture; `label` is its number in the table, empty where one stands too near."""

    x: float
    y: float
    label: str


@dataclass(frozen=True, kw_only=True)
class Span:
    """A part of the time, from the left."""

    x: float
    width: float


@dataclass(frozen=True, kw_only=True)
class Picture:
    """In units of which it is WIDTH wide and HEIGHT high, from the top left. `line` and `area` are paths of SVG."""

    line: str
    area: str
    marks: Sequence[Mark]
    canary: Sequence[Span]
    begins: datetime
    ends: datetime


def picture(moments: Sequence[TrafficMoment], until: datetime) -> Picture:
    """Draw the moments, which are in the order of time and at least one; the last one lasts `until` then."""
    begins, ends = moments[0].at, max(until, moments[-1].at)
    seconds = (ends - begins).total_seconds()
    xs = [_across((moment.at - begins).total_seconds(), seconds) for moment in moments]
    ys = [HEIGHT - HEIGHT * moment.share / 100 for moment in moments]
    line = f"M{xs[0]:g} {ys[0]:g}" + "".join(f"H{x:g}V{y:g}" for x, y in zip(xs, ys, strict=True))
    return Picture(
        line=f"{line}H{WIDTH}",
        area=f"{line}H{WIDTH}V{HEIGHT}H{xs[0]:g}Z",
        marks=_marks(xs, ys),
        canary=[
            Span(x=x, width=round(end - x, 1))
            for moment, x, end in zip(moments, xs, [*xs[1:], WIDTH], strict=True)
            if moment.canary
        ],
        begins=begins,
        ends=ends,
    )


def in_words(moments: Sequence[TrafficMoment]) -> str:
    """What the picture shows, as a sentence; of many moments the first and the last ones, the table has all."""
    parts = [f"{_share(moment)} from {moment.at:%Y-%m-%d %H:%M:%S} UTC on" for moment in moments[1:]]
    if len(parts) > _MOST_TOLD:
        parts[3:-2] = [f"{len(parts) - 5} changes more"]
    begins = f"Of the users {_share(moments[0])} had the new version when it was requested"
    return "; ".join([begins, *parts]) + "."


def _share(moment: TrafficMoment) -> str:
    return f"{moment.share} %" + (" and the canary" if moment.canary else "")


def _across(elapsed: float, seconds: float) -> float:
    return round(WIDTH * elapsed / seconds, 1) if seconds else 0


def _marks(xs: Sequence[float], ys: Sequence[float]) -> list[Mark]:
    marks: list[Mark] = []
    labelled = -float(WIDTH)
    for number, (x, y) in enumerate(zip(xs, ys, strict=True), start=1):
        has_room = x - labelled >= _BETWEEN_LABELS
        labelled = x if has_room else labelled
        marks.append(Mark(x=x, y=y, label=str(number) if has_room else ""))
    return marks
