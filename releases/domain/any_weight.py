"""Any share at any time: what becomes of a release's steps when a person sets the candidate's share, or skips one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from releases.domain.errors import InvalidTraffic
from releases.domain.lifecycle import ENDED_STEP_STATUSES, StepStatus
from releases.domain.traffic import TrafficState, Transition

SKIPPABLE = frozenset({Transition.CANARY, Transition.SHIFT})
"""What may be left out of a plan: a rotation puts the version in place, and promotion is its end."""

_PLANNED = frozenset({StepStatus.PLANNING, StepStatus.WAITING})
_UNDER_WAY = frozenset({StepStatus.PENDING, *_PLANNED})

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

    `statuses` are those of the steps, in their order; `following` is the index of what comes after the new step, or of
    the promotion. `asks_again` is the index of the step that needs an approval and a person who starts it now, whatever
    it needed before. `additions` are the indices of the addresses that are still to be added to the canary.
    """

    statuses: tuple[StepStatus, ...]
    following: int
    asks_again: int | None
    additions: frozenset[int] = frozenset()


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


def set_share(
    steps: Sequence[PlacedStep], share: int, *, present: int, canary_on: bool = False
) -> ChangedPlan:
    """The plan of a release whose candidate gets `share` percent next, and has `present` now.

    A bake ends, what lies at or below the new share is skipped, what is planned for later is planned again then.
    Lowering means that something may be wrong: the way up again needs an approval and a person who starts it.

    A canary step while the canary is on adds an address to it. It is not lost: it goes on before a higher share, which
    may wait for its approval, and goes on after a lower one, which waits for nothing. Only everyone has no canary.
    """
    additions = frozenset(index for index, step in enumerate(steps) if canary_on and _adds(step))
    lowers = share < present
    statuses = tuple(
        _addition_becomes(step, share, lowers=lowers) if index in additions else _becomes(step, share)
        for index, step in enumerate(steps)
    )
    left = [index for index, status in enumerate(statuses) if status not in ENDED_STEP_STATUSES]
    goes_before = set() if lowers else {index for index in additions if statuses[index] in _UNDER_WAY}
    return ChangedPlan(
        statuses=statuses,
        following=next(index for index in left if index not in goes_before),
        asks_again=next(index for index in left if index not in additions) if lowers else None,
        additions=additions & set(left),
    )


def _adds(step: PlacedStep) -> bool:
    return (
        step.transition is Transition.CANARY and not step.has_ended and step.status is not StepStatus.BAKING
    )


def _addition_becomes(step: PlacedStep, share: int, *, lowers: bool) -> StepStatus:
    if share == 100:
        return StepStatus.SKIPPED
    return StepStatus.PENDING if lowers and step.status in _PLANNED else step.status


def _becomes(step: PlacedStep, share: int) -> StepStatus:
    if step.has_ended:
        return step.status
    if step.status is StepStatus.BAKING:
        return StepStatus.DONE
    if step.transition in SKIPPABLE and step.candidate_share <= share:
        return StepStatus.SKIPPED
    if share == 100 or step.status not in _PLANNED:
        return step.status
    return StepStatus.PENDING
