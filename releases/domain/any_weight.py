"""Any share at any time: what becomes of a release's steps when a person sets the candidate's share, or skips one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from releases.domain.errors import InvalidTraffic
from releases.domain.lifecycle import ENDED_STEP_STATUSES, StepStatus
from releases.domain.traffic import TrafficState, Transition

SKIPPABLE = frozenset({Transition.CANARY, Transition.SHIFT})
"""What may be left out of a plan: a rotation puts the version in place, and promotion is its end."""

# Written out, since int() also takes “٣”, “+5” and “1_0”.
_SHARE = re.compile(r"0|[1-9][0-9]?|100")


@dataclass(frozen=True, kw_only=True)
class PlacedStep:
    """A step in its place in a release's plan, as far as a change of that plan has to know it."""

    transition: Transition
    candidate_share: int
    status: StepStatus

    @property
    def has_ended(self) -> bool:
        """Whether nothing becomes of it any more."""
        return self.status in ENDED_STEP_STATUSES


@dataclass(frozen=True, kw_only=True)
class ChangedPlan:
    """What a share that is set by hand does to a plan.

    `statuses` are those of the steps, in their order; `following` is the index of the first that is left: the
    promotion, or what comes after the new step. `asks_again`: it needs an approval and a person who starts it now,
    whatever it needed before.
    """

    statuses: tuple[StepStatus, ...]
    following: int
    asks_again: bool


def parse_share(text: str) -> int:
    """A share in percent, from what somebody typed. Raises InvalidTraffic with a message for the form."""
    if not _SHARE.fullmatch(text):
        shown = f"“{text[:12]}” is none" if text else "it is empty"
        raise InvalidTraffic(
            "traffic:share", f"A share of the users is a whole number from 0 to 100; {shown}."
        )
    return int(text)


def lowers(state: TrafficState, transition: Transition, share: int) -> bool:
    """Whether this step takes users off the candidate: that needs no approval, and no release that goes on."""
    return transition is Transition.SHIFT and share < state.candidate_share


def set_share(steps: Sequence[PlacedStep], share: int, *, present: int) -> ChangedPlan:
    """The plan of a release whose candidate gets `share` percent next, and has `present` now.

    A bake ends, what lies at or below the new share is skipped, what is planned for later is planned again then.
    Lowering means that something may be wrong: the way up again needs an approval and a person who starts it.
    """
    statuses = tuple(_becomes(step, share) for step in steps)
    left = (index for index, status in enumerate(statuses) if status not in ENDED_STEP_STATUSES)
    return ChangedPlan(statuses=statuses, following=next(left), asks_again=share < present)


def _becomes(step: PlacedStep, share: int) -> StepStatus:
    if step.has_ended:
        return step.status
    if step.status is StepStatus.BAKING:
        return StepStatus.DONE
    if step.transition in SKIPPABLE and step.candidate_share <= share:
        return StepStatus.SKIPPED
    if share == 100 or step.status not in {StepStatus.PLANNING, StepStatus.WAITING}:
        return step.status
    return StepStatus.PENDING
