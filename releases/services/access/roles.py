"""Giving and taking roles: each with its event, and with the rights that come of it, in one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import QuerySet

from audit import events
from audit.events import Actor
from releases.domain.access.decisions import Decision, Permission, Refused
from releases.domain.access.role_rules import LAST_ADMINISTRATOR, Giver, may_give, may_take
from releases.domain.access.roles import Role
from releases.domain.errors import DomainError
from releases.domain.visible import visible
from releases.models import RoleGrant, Service
from releases.permissions import NotAllowed, as_person, is_service_account
from releases.selectors import roles as role_selectors
from releases.services.access import rights
from releases.services.access.rights import Holder
from releases.services.lifecycle import person


class RoleRefused(DomainError):
    """This cannot be done with a role, whoever asks for it."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a role holds: on one service, in one environment, or, without either, everywhere."""

    service: Service | None = None
    environment: str = ""


EVERYWHERE = Place()


def giver_at(user: User, place: Place) -> Giver:
    """Somebody who wants to change roles at a place, as the rules know them now."""
    if place.service is not None:
        account = as_person(user, place.service)
        return Giver(
            is_active=account.is_active,
            administers=role_selectors.administers(user, place.service),
            manages=Permission.MANAGE in account.permissions,
        )
    administered = role_selectors.administered_by(user)
    in_environment = bool(place.environment) and place.environment in administered.environments
    # Nobody administers anything whose account does not count.
    is_active = bool(administered) or User.objects.filter(pk=user.pk, is_active=True).exists()
    return Giver(is_active=is_active, administers=administered.everywhere or in_environment)


def give(role: Role, holder: Holder, place: Place, *, giver: User) -> None:
    """Give a role; one that is there already stays as it is. Raises ``NotAllowed`` and ``RoleRefused``."""
    with transaction.atomic():
        rights.hold()
        to_program = isinstance(holder, User) and is_service_account(holder)
        to_oneself = is_or_has(holder, giver)
        require(may_give(giver_at(giver, place), role, to_oneself=to_oneself, to_program=to_program))
        record_given(role, holder, place, actor=person(giver), given_by=giver)


def take(grant_id: UUID, *, taker: User) -> None:
    """Take a role away; one that is gone already is no error. Raises ``NotAllowed`` and ``RoleRefused``."""
    with keeping_an_administrator():
        found = RoleGrant.objects.filter(pk=grant_id).select_related("user", "group", "service").first()
        if found is None:
            return
        place = Place(service=found.service, environment=found.environment)
        require(may_take(giver_at(taker, place), Role(found.role)))
        before = _roles_at(found.holder, place)
        found.delete()
        _note("role.taken", Role(found.role), found.holder, place, before=before, actor=person(taker))


@transaction.atomic
def record_given(
    role: Role, holder: Holder, place: Place, *, actor: Actor, given_by: User | None = None, reason: str = ""
) -> None:
    """Give a role without asking whether one may: for who runs the machine, and for those who set a service up."""
    rights.hold()
    require_group(holder)
    before = _roles_at(holder, place)
    if role.value in before:
        return
    whose = {"group": holder} if isinstance(holder, Group) else {"user": holder}
    RoleGrant.objects.create(
        role=role.value, service=place.service, environment=place.environment, given_by=given_by, **whose
    )
    _note("role.given", role, holder, place, before=before, actor=actor, reason=reason)


@contextmanager
def keeping_an_administrator() -> Iterator[None]:
    """A transaction that is taken back if by it nobody is an administrator any more. Raises ``RoleRefused``."""
    with transaction.atomic():
        rights.hold()
        there_was_one = role_selectors.administrators().exists()
        yield
        if there_was_one and not role_selectors.administrators().exists():
            raise RoleRefused(LAST_ADMINISTRATOR.code, LAST_ADMINISTRATOR.reason)


def require(answer: Decision) -> None:
    """Raise ``NotAllowed`` unless the rules allow it."""
    if isinstance(answer, Refused):
        raise NotAllowed(answer.code, answer.reason)


def require_group(holder: Holder) -> None:
    """Raise ``RoleRefused`` for a group that was removed since it was read; under the lock of the roles."""
    if isinstance(holder, Group) and not Group.objects.filter(pk=holder.pk).exists():
        raise RoleRefused("group:removed", f"There is no group {visible(holder.name)} any more.")


def is_or_has(holder: Holder, user: User) -> bool:
    """Whether what a holder is given is given to this person."""
    if isinstance(holder, Group):
        return user.groups.filter(pk=holder.pk).exists()
    return holder.pk == user.pk


def _roles_at(holder: Holder, place: Place) -> list[str]:
    at_place = holder.role_grants.filter(service=place.service, environment=place.environment)
    return sorted(at_place.values_list("role", flat=True))


def _note(
    action: str,
    role: Role,
    holder: Holder,
    place: Place,
    *,
    before: list[str],
    actor: Actor,
    reason: str = "",
) -> None:
    rights.bring_in_step(_services_of(place), holder)
    service = place.service
    kind = "group" if isinstance(holder, Group) else "person"
    events.record(
        actor=actor,
        action=action,
        service_id=str(service.pk) if service else "",
        subject={
            "role": role.value,
            kind: str(holder),
            "service": service.name if service else "",
            "environment": place.environment,
        },
        before={"roles": before},
        after={"roles": _roles_at(holder, place)},
        reason=reason,
    )


def _services_of(place: Place) -> QuerySet[Service]:
    if place.service is not None:
        return Service.objects.filter(pk=place.service.pk)
    return (
        Service.objects.filter(environment=place.environment) if place.environment else Service.objects.all()
    )
