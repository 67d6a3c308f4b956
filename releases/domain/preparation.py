"""What the next release begins with, what of it can be done ahead, and until when the old version is kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from releases.domain.access.decisions import Allowed, Decision, Permission, Person, Refused, has_permission
from releases.domain.acts import ServiceFacts, may_begin
from releases.domain.rollout_plan import PlannedStep, Rotation, rotation_steps
from releases.domain.traffic import TrafficState, Transition, is_safe

OVERWRITES = frozenset({Transition.ROTATE_STABLE, Transition.ROTATE_CANDIDATE})
"""After a promotion these put another version in the place of the old one."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """The time for which the version before the present one is kept; `ends_at` is None where there is none to keep."""

    ends_at: datetime | None
    now: datetime

    @property
    def is_open(self) -> bool:
        """Whether it takes a person's word to give the old version up."""
        return self.ends_at is not None and self.now < self.ends_at


def rollback_window(promoted_at: datetime | None, *, seconds: int, now: datetime) -> Window:
    """The rollback window of a service whose present version was promoted then; None: no older one is in place."""
    return Window(ends_at=promoted_at and promoted_at + timedelta(seconds=seconds), now=now)


def gives_up_old_version(steps: Iterable[PlannedStep], window: Window) -> bool:
    """Whether these steps overwrite the old version while it is to be kept: somebody has to say that it may go."""
    return window.is_open and any(step.transition in OVERWRITES for step in steps)


def preparation(state: TrafficState, rotation: Rotation) -> tuple[PlannedStep, ...]:
    """The parts of the next rotation that need not know the next version; none unless the present one was promoted."""
    if not is_safe(state, state.candidate):
        return ()
    return tuple(
        part for part in rotation_steps(state, rotation) if part.transition is not Transition.ROTATE_CANDIDATE
    )


def may_prepare(person: Person, service: ServiceFacts, rotation: Rotation) -> Decision:
    """Whether this person may have the next rotation begun ahead of its release.

    That the old version is given up by it, or is no longer what a rollback leads to, is asked for apart.
    """
    permitted = has_permission(person, Permission.OPERATE)
    if not permitted:
        return permitted
    begun = may_begin(service)
    if not begun or service.state is None:
        return begun
    if not preparation(service.state, rotation):
        return Refused(
            "prepare:nothing", "There is nothing to prepare: the next version can be put in place."
        )
    return Allowed()
