"""How long the next steps will take, by what a service's steps took before: a guess, said as one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from releases.domain.traffic import Transition

USUAL_SECONDS = 60
"""One step, plan and apply, of a service that has had none yet."""

_MINUTE, _HOUR = 60, 3_600


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """`measured` says whether it comes from steps that this service has had."""

    applies: int
    seconds: float
    measured: bool

    def __str__(self) -> str:
        return f"{self.applies} {'apply' if self.applies == 1 else 'applies'}, {about(self.seconds)}"


def estimate(
    transitions: Collection[Transition], past: Mapping[Transition, Sequence[float]], *, settle_seconds: float
) -> Estimate:
    """What these steps will take together; `past` has what steps took before, each from plan to verified, in seconds.

    A transition that the service has not had yet is taken to last as long as the others do.
    """
    all_of_them = [seconds for of_one in past.values() for seconds in of_one]
    usual = median(all_of_them) if all_of_them else USUAL_SECONDS
    seconds = sum(median(past[one]) if past.get(one) else usual for one in transitions)
    return Estimate(
        applies=len(transitions),
        seconds=seconds + (settle_seconds if _settles_between(transitions) else 0),
        measured=bool(all_of_them),
    )


def about(seconds: float) -> str:
    """A duration as one says it: "about 40 seconds", "about 3 minutes", "about 2 hours"."""
    if seconds < 1.5 * _MINUTE:
        return f"about {max(10, round(seconds, -1)):.0f} seconds"
    if seconds < 1.5 * _HOUR:
        return f"about {round(seconds / _MINUTE)} minutes"
    return f"about {round(seconds / _HOUR)} hours"


def _settles_between(transitions: Collection[Transition]) -> bool:
    """Whether one of them takes the traffic off the function that a later one changes."""
    return {Transition.ROTATE_TRAFFIC, Transition.ROTATE_CANDIDATE} <= set(transitions)
