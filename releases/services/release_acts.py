"""What people do with a release beside deciding and starting: hold it, let it go on, try again, leave out, give up.

Each is one transaction under the service's lock, asks the same rules as the page does, and then does what is due.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from audit.events import Actor
from releases import selectors
from releases.domain import release_acts
from releases.domain.access.decisions import Decision, Person
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.domain.release_acts import ReleaseFacts
from releases.models import Release, Service, Step
from releases.permissions import as_person
from releases.services import facts, rollout
from releases.services.approval import gates
from releases.services.endings import cancel_release, stop_planning
from releases.services.errors import ActRefused, refuse_unless
from releases.services.lifecycle import change_release, change_step, locked, now, person, record


def pause(*, release_id: UUID, user: User) -> None:
    """Hold a release where it is: what runs finishes, bake times go on, nothing begins. Raises ``ActRefused``."""
    with allowed(release_id, user, release_acts.may_pause) as (_, release):
        change_release(release, ReleaseStatus.PAUSED, actor=person(user), action="release.paused")


def resume(*, release_id: UUID, user: User) -> None:
    """Let a paused release go on. Raises ``ActRefused``."""
    with allowed(release_id, user, release_acts.may_resume) as (_, release):
        change_release(release, ReleaseStatus.OPEN, actor=person(user), action="release.resumed")


def cancel(*, release_id: UUID, user: User, reason: str = "") -> None:
    """End a release that nobody has been sent to. Raises ``ActRefused``."""
    with allowed(release_id, user, release_acts.may_cancel) as (service, release):
        cancel_release(service, release, actor=person(user), reason=reason)


def retry(*, step_id: UUID, user: User) -> None:
    """Plan the step again that failed or was rejected: it asks again, its start still counts. Raises ``ActRefused``."""
    with allowed(_release_id(step_id), user, release_acts.may_retry) as (service, _):
        step = _still(facts.acting_step(service), step_id)
        rollout.plan(service, step, actor=person(user), action="step.retried")


def skip(*, step_id: UUID, user: User) -> None:
    """Leave the next step out; if it needed an approval, the one after it does. Raises ``ActRefused``."""
    with allowed(_release_id(step_id), user, release_acts.may_skip) as (service, release):
        step, actor = _still(facts.acting_step(service), step_id), person(user)
        stop_planning(step)
        change_step(step, StepStatus.SKIPPED, actor=actor, action="step.skipped", ended_at=now())
        note_change(release, user)
        following = facts.acting_step(service)
        if step.gate and following:
            ask_again(service, following, actor, gate=True)


def skip_bake(*, step_id: UUID, user: User) -> None:
    """End the bake time that runs. Raises ``ActRefused``."""
    with allowed(_release_id(step_id), user, release_acts.may_skip_bake) as (service, _):
        step = _still(selectors.current_step(service), step_id)
        change_step(step, StepStatus.DONE, actor=person(user), action="step.bake-skipped", ended_at=now())


@contextmanager
def allowed(
    release_id: UUID, user: User, rule: Callable[[Person, ReleaseFacts], Decision]
) -> Iterator[tuple[Service, Release]]:
    """The locked service and its release, if this person may do this now; afterwards what is due is done."""
    service_id = Release.objects.values_list("service_id", flat=True).get(pk=release_id)
    with locked(service_id) as service:
        release = Release.objects.get(pk=release_id)
        refuse_unless(rule(as_person(user, service), facts.release_facts(service, release)))
        yield service, release
        rollout.advance(service, actor=person(user))


def note_change(release: Release, user: User) -> None:
    """Who changes a release's course does not approve what comes of it (invariant 6); its request is another one."""
    release.changed_by = user
    release.save(update_fields=["changed_by"])
    gates.ask_nobody(release)


def ask_again(service: Service, step: Step, actor: Actor, **wanted: Any) -> None:
    """A step of the plan now needs what it did not need before: an approval, or a person who starts it."""
    if any(getattr(step, name) != value for name, value in wanted.items()):
        Step.objects.filter(pk=step.pk).update(**wanted)
        record(service, step, actor=actor, action="step.asks-again", after=wanted)


def _release_id(step_id: UUID) -> UUID:
    of_release = Step.objects.filter(pk=step_id, release__isnull=False)
    found = of_release.values_list("release_id", flat=True).first()
    if found is None:
        raise ActRefused("act:no-release", "This step belongs to no release: look at its service.")
    return found


def _still(present: Step | None, step_id: UUID) -> Step:
    if present is None or present.pk != step_id:
        raise ActRefused("act:other-step", "The release is at another step by now: look at it again.")
    return present
