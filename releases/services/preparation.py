"""Prepares a release ahead: the rotation's parts that need not know the next version, as steps without a release."""

from uuid import UUID

from django.contrib.auth.models import User

from audit import events
from releases import push, selectors
from releases.domain.access.decisions import Decision, Refused
from releases.domain.durations import Estimate, estimate
from releases.domain.errors import DomainError
from releases.domain.preparation import Window, may_prepare, preparation, rollback_window
from releases.domain.rollout_plan import PlannedStep, Rotation, rotation_steps
from releases.models import Service, Step
from releases.permissions import NotAllowed, as_person
from releases.services import rollout
from releases.services.facts import service_facts
from releases.services.lifecycle import locked, now, person


class PreparationRefused(DomainError):
    """Nothing can be prepared now, or not without a person's word; the message says why and what to do."""


def prepare(*, service_id: UUID, user: User, gives_up_old_version: bool = False) -> None:
    """Begin the next rotation ahead. Raises ``NotAllowed`` and ``PreparationRefused``."""
    with locked(service_id) as service:
        _refuse_unless_allowed(may_prepare_now(service, user))
        window = window_of(service)
        if window.is_open and not gives_up_old_version:
            raise PreparationRefused("prepare:window", kept_in_words(service, window))
        parts = preparation(service.state, Rotation(service.rotation))
        _create(service, user, parts)
        events.record(
            actor=person(user),
            action="service.preparing",
            service_id=str(service.pk),
            subject={"service": service.name},
            after={"steps": [part.key for part in parts], "gives_up_old_version": window.is_open},
        )
        push.service_changed(service.pk)
        rollout.advance(service, actor=person(user))


def may_prepare_now(service: Service, user: User) -> Decision:
    """Whether this person may prepare the next release now: page and service ask the same."""
    return may_prepare(as_person(user, service), service_facts(service), Rotation(service.rotation))


def window_of(service: Service) -> Window:
    """Until when the version before the present one is kept."""
    return rollback_window(service.promoted_at, seconds=service.rollback_window_seconds, now=now())


def kept_in_words(service: Service, window: Window) -> str:
    """Why it takes a person's word, and what happens without it."""
    idle = service.state.serving.other
    tag = service.blue_tag if idle == "blue" else service.green_tag
    until = f"{window.ends_at:%Y-%m-%d %H:%M} UTC" if window.ends_at else "the window is over"
    return f"{tag or 'The old version'} is kept on {idle} until {until}, to go back to. Say that it may go, or wait."


def next_rotation(service: Service) -> tuple[tuple[PlannedStep, ...], Estimate]:
    """What the next release does first, and how long that will take; raises ``InvalidRolloutPlan`` from a split."""
    steps = rotation_steps(service.state, Rotation(service.rotation))
    past = selectors.step_durations(service)
    transitions = [step.transition for step in steps]
    return steps, estimate(transitions, past, settle_seconds=service.settle_seconds)


def _create(service: Service, user: User, parts: tuple[PlannedStep, ...]) -> None:
    """They go on by themselves: who asks for them wants them done."""
    moment = now()
    Step.objects.bulk_create(
        Step(
            service=service,
            position=position,
            transition=part.transition.value,
            candidate_share=part.candidate_share,
            requested_by=user,
            started_by=user,
            started_at=moment,
        )
        for position, part in enumerate(parts)
    )


def _refuse_unless_allowed(answer: Decision) -> None:
    if isinstance(answer, Refused):
        kind = NotAllowed if answer.code.startswith("person:") else PreparationRefused
        raise kind(answer.code, answer.reason)
