"""What the next release will do first, and whether that can be done ahead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from releases.domain.access.decisions import Decision
from releases.domain.durations import Estimate
from releases.domain.preparation import gives_up_old_version
from releases.domain.rollout_plan import PlannedStep
from releases.domain.traffic import Color, Transition, is_safe
from releases.models import Service
from releases.services import preparation
from releases.views.shown.traffic import traffic_of


@dataclass(frozen=True, kw_only=True)
class KeptVersion:
    """The version before the present one, which is kept on a colour until a moment: what is lost with it, in words."""

    name: str
    color: Color
    until: datetime
    lost: str


@dataclass(frozen=True, kw_only=True)
class NextRelease:
    """``prepare`` says whether its first parts may be done now; ``kept`` is what that takes a person's word for."""

    rotation: str
    estimate: Estimate
    prepare: Decision
    has_parts: bool
    kept: KeptVersion | None


def next_release(service: Service, user: User) -> NextRelease | None:
    """What a service at rest will do first; None where its users are divided, or it is not set up."""
    if service.set_up_at is None or not any(is_safe(service.state, color) for color in Color):
        return None
    steps, estimate = preparation.next_rotation(service)
    return NextRelease(
        rotation=_rotation_in_words(steps),
        estimate=estimate,
        prepare=preparation.may_prepare_now(service, user),
        has_parts=len(steps) > 1,
        kept=kept_version(service, steps),
    )


def kept_version(service: Service, steps: Sequence[PlannedStep]) -> KeptVersion | None:
    """The old version that these steps would give up before its time; None where they do not."""
    window = preparation.window_of(service)
    if window.ends_at is None or not gives_up_old_version(steps, window):
        return None
    traffic, idle = traffic_of(service), service.state.serving.other
    old, new = traffic.of(idle), traffic.of(idle.other)
    lost = f"{old.name} goes from {idle}. A rollback then leads to {new.name}, which everyone has now."
    return KeptVersion(name=old.name, color=idle, until=window.ends_at, lost=lost)


def _rotation_in_words(steps: Sequence[PlannedStep]) -> str:
    transitions = {step.transition for step in steps}
    if Transition.SWAP_COLORS in transitions:
        return "a rotation by swap"
    return (
        "a rotation by copy" if Transition.ROTATE_STABLE in transitions else "a rotation of the idle colour"
    )
