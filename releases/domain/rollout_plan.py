"""Rollout plans: the ordered steps that bring one version to one service."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType

from releases.domain.bakes import check_bakes
from releases.domain.errors import InvalidRolloutPlan
from releases.domain.traffic import ROTATIONS, TrafficState, Transition, Version, is_safe

WHOLE_ROTATION = "rotation"
"""The name of all parts of a rotation, where a form says that they start by themselves."""

MOST_WEIGHTS = 20
"""A plan has at most this many shifts; more are a mistake or an attack."""

_LONGEST_TEXT = 200
_RANGE = "each share is a whole number from 1 to 99 (promotion, the 100 %, follows by itself)"
# Written out, since int() also takes “٣”, “+5” and “1_0”.
_WEIGHT = re.compile(r"[1-9][0-9]?")


class Rotation(StrEnum):
    """How a service makes room for the next version after a promotion (invariant 2)."""

    COPY = "copy"
    """The promoted version is copied to the stable colour, and everyone moves there: blue may stay the stable one."""
    SWAP = "swap"
    """The colours swap their roles: nobody is moved, and it takes one apply less."""


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """One step of a rollout plan: what it does, and the candidate's share (percent) when it is done."""

    transition: Transition
    candidate_share: int
    gate: bool
    bake_seconds: int
    automatic: bool = False

    @property
    def choice(self) -> str:
        """The name by which a form says how it starts and bakes: a rotation's parts are one thing to people."""
        return WHOLE_ROTATION if self.transition in ROTATIONS else self.key

    @property
    def key(self) -> str:
        """A name within its plan, by which a form asks for an extra gate: "canary", "shift-25", "promote"."""
        if self.transition is Transition.SHIFT:
            return f"shift-{self.candidate_share}"
        return self.transition.value

    @property
    def may_bake(self) -> bool:
        """Whether a bake time makes sense: while somebody is on the candidate, and there is a next step."""
        return self.transition in {Transition.CANARY, Transition.SHIFT}

    @property
    def may_have_gate(self) -> bool:
        """Whether a gate makes sense: rotations send nobody anywhere new, and have none."""
        return self.transition not in ROTATIONS


def parse_weights(text: str) -> tuple[int, ...]:
    """The shares in a text such as "10, 25, 50", in percent.

    Raises InvalidRolloutPlan with a message for the form.
    """
    if len(text) > _LONGEST_TEXT:
        raise InvalidRolloutPlan("rollout:too-many", f"At most {MOST_WEIGHTS} shares; {_RANGE}.")
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        if not _WEIGHT.fullmatch(part):
            shown = f"“{part[:12]}” is none" if part else "one is empty"
            raise InvalidRolloutPlan(
                "rollout:weight", f"Shares are separated by commas, and {_RANGE}; {shown}."
            )
    weights = tuple(int(part) for part in parts)
    _check_weights(weights)
    return weights


def build_steps(
    state: TrafficState,
    version: Version,
    *,
    weights: Sequence[int],
    rotation: Rotation = Rotation.COPY,
    canary: bool = True,
    extra_gates: Collection[str] = (),
    automatic: Collection[str] = (),
    bake_seconds: int = 0,
    bakes: Mapping[str, int] = MappingProxyType({}),
) -> tuple[PlannedStep, ...]:
    """The steps that bring `version` from `state` to everyone.

    Rotation comes first (after a promotion as `rotation` says), then the canary, a shift for each of `weights`, and
    promotion. The first step that sends anybody to the candidate and promotion have a gate always;
    `extra_gates` (keys of steps) adds some. After the canary and each shift there are `bake_seconds`, or those that
    `bakes` says for its key. What is in `automatic` (keys, or WHOLE_ROTATION) starts by itself, the rest by a person.

    Raises InvalidRolloutPlan if the service's traffic is split, or what is chosen is not possible.
    """
    _check_weights(weights)
    shares = [(Transition.CANARY, 0)] if canary else []
    shares += [(Transition.SHIFT, weight) for weight in weights]
    shares.append((Transition.PROMOTE, 100))
    steps = [
        PlannedStep(
            transition=transition,
            candidate_share=share,
            gate=position == 0 or transition is Transition.PROMOTE,
            bake_seconds=0 if transition is Transition.PROMOTE else bake_seconds,
        )
        for position, (transition, share) in enumerate(shares)
    ]
    return _with_choices(
        (*rotation_steps(state, rotation), *_with_extra_gates(steps, extra_gates)), automatic, bakes
    )


def straight_steps(state: TrafficState, version: Version, rotation: Rotation) -> tuple[PlannedStep, ...]:
    """The steps that bring a version that was released before to everyone at once: a promotion, with its gate.

    Where it is still in place on the colour without traffic, no function is changed: after a promotion the colours
    swap their roles, whatever the service's rotation, so that it is the candidate. Raises InvalidRolloutPlan.
    """
    promotion = PlannedStep(transition=Transition.PROMOTE, candidate_share=100, gate=True, bake_seconds=0)
    if is_safe(state, state.stable) and state.version_of(state.candidate) == version:
        return (promotion,)
    if is_safe(state, state.candidate) and state.version_of(state.stable) == version:
        return (_part(Transition.SWAP_COLORS, 0), promotion)
    return (*rotation_steps(state, rotation), promotion)


def rotation_steps(state: TrafficState, rotation: Rotation) -> tuple[PlannedStep, ...]:
    """The steps that put a release's version in place, without traffic; raises InvalidRolloutPlan from a split."""
    if is_safe(state, state.candidate):
        return tuple(_part(transition, share) for transition, share in _AFTER_PROMOTION[rotation].items())
    if is_safe(state, state.stable):
        return (_part(Transition.ROTATE_CANDIDATE, 0),)
    raise InvalidRolloutPlan(
        "rollout:split", "Some users or the canary are on the candidate: roll back before the next release."
    )


def _check_weights(weights: Sequence[int]) -> None:
    if not weights:
        raise InvalidRolloutPlan("rollout:no-weights", f"Give at least one share; {_RANGE}.")
    if len(weights) > MOST_WEIGHTS:
        raise InvalidRolloutPlan(
            "rollout:too-many", f"At most {MOST_WEIGHTS} shares; these are {len(weights)}."
        )
    if not all(1 <= weight <= 99 for weight in weights):
        raise InvalidRolloutPlan("rollout:weight", f"Of the shares, {_RANGE}.")
    if any(later <= earlier for earlier, later in pairwise(weights)):
        raise InvalidRolloutPlan("rollout:not-rising", "Each share must be higher than the one before it.")


def _part(transition: Transition, share: int) -> PlannedStep:
    return PlannedStep(transition=transition, candidate_share=share, gate=False, bake_seconds=0)


_AFTER_PROMOTION = {
    Rotation.COPY: {
        Transition.ROTATE_STABLE: 100,
        Transition.ROTATE_TRAFFIC: 0,
        Transition.ROTATE_CANDIDATE: 0,
    },
    Rotation.SWAP: {Transition.SWAP_COLORS: 0, Transition.ROTATE_CANDIDATE: 0},
}
"""The parts of a rotation with the candidate's share when each is done."""


def _with_extra_gates(steps: Sequence[PlannedStep], extra_gates: Collection[str]) -> list[PlannedStep]:
    unknown = set(extra_gates) - {step.key for step in steps}
    if unknown:
        raise InvalidRolloutPlan(
            "rollout:gate", f"This plan has no step that could have this gate: {_names(unknown)}."
        )
    return [replace(step, gate=step.gate or step.key in extra_gates) for step in steps]


def _with_choices(
    steps: Sequence[PlannedStep], automatic: Collection[str], bakes: Mapping[str, int]
) -> tuple[PlannedStep, ...]:
    unknown = set(automatic) - {step.choice for step in steps}
    if unknown:
        raise InvalidRolloutPlan(
            "rollout:automatic", f"This plan has no step that could start by itself: {_names(unknown)}."
        )
    check_bakes(bakes, {step.key for step in steps if step.may_bake})
    return tuple(
        replace(
            step,
            automatic=step.choice in automatic,
            bake_seconds=bakes.get(step.key, step.bake_seconds),
        )
        for step in steps
    )


def _names(keys: Collection[str]) -> str:
    return ", ".join(sorted(keys))[:200]
