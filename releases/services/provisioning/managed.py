"""Steps of no release (set-up, settings, removal, preparation): what may be done, calling off, trying again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.contrib.auth.models import User

from audit import events
from audit.events import Actor
from releases import push, selectors
from releases.domain.access.decisions import Decision, Person, Refused, has_permission
from releases.domain.errors import DomainError
from releases.domain.lifecycle import StepStatus
from releases.domain.provisioning import managing
from releases.domain.provisioning.managing import ManagedFacts, OwnStep
from releases.domain.traffic import Color, Transition, is_safe
from releases.models import Release, Service, Step
from releases.permissions import NotAllowed, as_person
from releases.services import rollout
from releases.services.access import rights
from releases.services.access.service_accounts import with_people_behind
from releases.services.approval.gate import ids
from releases.services.endings import abandon_own_steps
from releases.services.lifecycle import locked, now, person
from terraform_runner import claims


class ManagingRefused(DomainError):
    """The rules say that this may not be done with the service now; the message says why."""


def managed_facts(service: Service) -> ManagedFacts:
    """The service as the rules of managing see it."""
    step, state = selectors.own_step(service), service.state
    release = selectors.open_release(service)
    return ManagedFacts(
        is_set_up=service.set_up_at is not None,
        is_removed=service.removed_at is not None,
        release_open=release is not None,
        at_rest=any(is_safe(state, color) for color in Color),
        step=_as_facts(service, step) if step else None,
        asked_by=_asked_by(release, step),
    )


def refuse_unless(may: Callable[[Person, ManagedFacts], Decision], user: User, service: Service) -> None:
    """Raise ``NotAllowed`` or ``ManagingRefused`` unless this person may do this now."""
    answer = may(as_person(user, service), managed_facts(service))
    if isinstance(answer, Refused):
        kind = NotAllowed if answer.code.startswith("person:") else ManagingRefused
        raise kind(answer.code, answer.reason)


def begin_step(
    service: Service, transition: Transition, *, user: User, reason: str, **columns: object
) -> Step:
    """Ask for a step with a gate, in place of one that failed. The caller holds the service's row and records why.

    It goes on as soon as its plan is there and approved: who asks for it wants it done.
    """
    abandon_own_steps(service, actor=person(user), action="step.replaced")
    return Step.objects.create(
        service=service,
        transition=transition.value,
        candidate_share=service.state.candidate_share,
        gate=True,
        requested_by=user,
        reason=reason,
        started_by=user,
        started_at=now(),
        **columns,
    )


def cancel(*, step_id: UUID, user: User) -> None:
    """Call off what was asked for, with what comes after it. Raises ``NotAllowed`` and ``ManagingRefused``."""
    with _locked_step(step_id, user) as (service, step):
        refuse_unless(managing.may_cancel, user, service)
        actor = person(user)
        claims.request_cancel(workspace=str(service.pk), reason="it was called off")
        abandon_own_steps(service, actor=actor, action="step.cancelled")
        if step.transition == Transition.SET_UP:
            mark_removed(service, actor=actor, reason="Its set-up was called off.")
        rollout.advance(service, actor=actor)


def retry(*, step_id: UUID, user: User) -> None:
    """Plan again what failed, from what is real now. Raises ``NotAllowed`` and ``ManagingRefused``."""
    with _locked_step(step_id, user) as (service, step):
        refuse_unless(managing.may_retry, user, service)
        rollout.plan(service, step, actor=person(user), action="step.retried")


@contextmanager
def _locked_step(step_id: UUID, user: User) -> Iterator[tuple[Service, Step]]:
    """The locked service and this step, which has to be the one that is going on."""
    service_id, transition = Step.objects.values_list("service_id", "transition").get(pk=step_id)
    with locked(service_id) as service:
        permitted = has_permission(as_person(user, service), managing.right_for(Transition(transition)))
        if isinstance(permitted, Refused):
            raise NotAllowed(permitted.code, permitted.reason)
        step = selectors.own_step(service)
        if step is None or step.pk != step_id:
            raise ManagingRefused(
                "managed:other-step",
                "This is over, or something else is going on: look at the service again.",
            )
        yield service, step


def mark_removed(service: Service, *, actor: Actor, reason: str) -> None:
    """Nothing of the service is left at AWS: its history stays, and nobody may do more than look."""
    service.removed_at = now()
    service.save(update_fields=["removed_at"])
    rights.bring_in_step(Service.objects.filter(pk=service.pk))
    events.record(
        actor=actor,
        action="service.removed",
        service_id=str(service.pk),
        subject={"service": service.name},
        reason=reason,
    )
    push.service_changed(service.pk)


def _asked_by(release: Release | None, step: Step | None) -> frozenset[str]:
    by_release = (release.requested_by_id, release.changed_by_id) if release else ()
    asked = (*by_release, step.requested_by_id if step else None)
    return ids(with_people_behind(one for one in asked if one is not None))


def _as_facts(service: Service, step: Step) -> OwnStep:
    """What an earlier settings step has begun is the present one's to finish."""
    return OwnStep(
        transition=Transition(step.transition),
        status=StepStatus(step.status),
        has_begun=bool(service.settings_begun) or selectors.has_begun(step),
    )
