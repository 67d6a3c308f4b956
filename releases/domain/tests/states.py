"""Versions, traffic states and walks through the life cycle, for the tests of the rules."""

from dataclasses import dataclass, replace

from hypothesis import strategies as st

from releases.domain.errors import IllegalTransition
from releases.domain.traffic import (
    Color,
    TrafficState,
    Transition,
    Version,
    changed_colors,
    initial_state,
    safe_color,
    target_state,
)

REPOSITORY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nginx-lambda"


def version(character: str) -> Version:
    """A version whose digest is one hexadecimal character, repeated."""
    return Version(image=f"{REPOSITORY}@sha256:{character * 64}")


OLD, NEW, NEXT = version("a"), version("b"), version("c")


def state(share: int = 0, *, canary: bool = False, active: Color = Color.BLUE) -> TrafficState:
    """OLD on the stable colour, NEW on the candidate, which has this share."""
    base = initial_state(OLD, active_color=active).with_version(active.other, NEW)
    return base.with_candidate_share(share).with_canary(canary)


@dataclass(frozen=True, kw_only=True)
class Position:
    """A service in its life: what is recorded, and whether a copy (a) has begun and isn't verified."""

    traffic: TrafficState
    stable_is_being_changed: bool

    @property
    def safe_color(self) -> Color:
        return safe_color(self.traffic, stable_is_being_changed=self.stable_is_being_changed)


versions = st.sampled_from([OLD, NEW, NEXT])
states = st.builds(
    TrafficState,
    active_color=st.sampled_from(Color),
    blue=versions,
    green=versions,
    green_weight=st.integers(0, 100),
    activate_canary=st.booleans(),
)
walks = st.lists(
    st.tuples(st.sampled_from(Transition), versions, st.integers(0, 100), st.booleans()), max_size=30
)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One transition that was legal: from where, to where, and the functions that it changed."""

    transition: Transition
    before: Position
    after: Position
    changed: frozenset[Color]


def walk(steps: list[tuple[Transition, Version, int, bool]], active: Color) -> list[Taken]:
    """Take every transition of the list that is legal where it comes, from a set-up on; a step may also fail.

    A copy (a) that fails leaves the stable function half-changed until one that succeeds: nothing but another copy or a
    rollback follows it.
    """
    position = Position(traffic=initial_state(OLD, active_color=active), stable_is_being_changed=False)
    taken = []
    for transition, wanted, share, fails in steps:
        if position.stable_is_being_changed and transition not in {
            Transition.ROTATE_STABLE,
            Transition.ROLLBACK,
        }:
            continue
        try:
            after = target_state(
                position.traffic, transition, version=_version(transition, wanted), share=share,
                safe_color=position.safe_color,
            )  # fmt: skip
        except IllegalTransition:
            continue
        copying = transition is Transition.ROTATE_STABLE
        during = replace(position, stable_is_being_changed=position.stable_is_being_changed or copying)
        arrived = Position(
            traffic=position.traffic if fails else after,
            stable_is_being_changed=during.stable_is_being_changed and (fails or not copying),
        )
        changed = changed_colors(transition, position.traffic)
        taken.append(Taken(transition=transition, before=during, after=arrived, changed=changed))
        position = arrived
    return taken


def _version(transition: Transition, wanted: Version) -> Version | None:
    return wanted if transition is Transition.ROTATE_CANDIDATE else None
