"""Adding an address to a release's canary while it is on: a step of its own, in front of what comes next."""

from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import F

from releases import selectors
from releases.domain.canary import check_room, check_single, is_in, room_in_rule
from releases.domain.errors import InvalidCanary
from releases.domain.lifecycle import StepStatus
from releases.domain.release_acts import may_add_address
from releases.domain.traffic import Transition
from releases.models import Release, Service, Step
from releases.services.endings import stop_planning
from releases.services.lifecycle import change_step, now, person, record, record_release
from releases.services.release_acts import allowed, note_change


def add_address(*, release_id: UUID, address: str, user: User) -> None:
    """Send this single address to the new version too, without an approval: it begins at once.

    What is planned for later is planned again then; what was approved stays approved if its changes are the same. A
    bake time goes on. Raises ``ActRefused``, ``InvalidCanary``.
    """
    with allowed(release_id, user, may_add_address) as (service, release):
        single = check_single(address)
        before = list(release.canary_addresses)
        release.canary_addresses = _with(service, before, single)
        release.save(update_fields=["canary_addresses"])
        note_change(release, user)
        record_release(
            release,
            actor=person(user),
            action="release.address-added",
            before={"canary_addresses": before},
            after={"canary_addresses": release.canary_addresses},
        )
        following = selectors.unfinished_steps(service)[0]
        _put_off(following, user)
        _insert(service, release, following, user)


def _with(service: Service, addresses: list[str], single: str) -> list[str]:
    if is_in(single, service.active_canary_addresses):
        raise InvalidCanary("canary:twice", f"{single} is in the canary already.")
    # One whose run did not come to its end is on the list already, and tried again.
    wanted = addresses if is_in(single, addresses) else [*addresses, single]
    check_room(wanted, slots=service.canary_slots, room=room_in_rule(service.hostnames, service.paths))
    return wanted


def _put_off(step: Step, user: User) -> None:
    if step.status in {StepStatus.PLANNING, StepStatus.WAITING}:
        stop_planning(step)
        change_step(
            step,
            StepStatus.PENDING,
            actor=person(user),
            action="step.put-off",
            plan_run=None,
            apply_run=None,
        )


def _insert(service: Service, release: Release, following: Step, user: User) -> None:
    """In the place of the present step, which comes after it from now on, and bakes meanwhile if it does."""
    release.steps.filter(position__gte=following.position).update(position=F("position") + 1)
    step = Step.objects.create(
        service=service,
        release=release,
        position=following.position,
        transition=Transition.CANARY.value,
        candidate_share=service.state.candidate_share,
        requested_by=user,
        started_by=user,
        started_at=now(),
    )
    record(service, step, actor=person(user), action="step.started")
