"""Finds what an address names, as far as its reader may see it: everything else is 404."""

from typing import Any, NoReturn, TypeVar
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from releases.domain.access.decisions import Permission, Refused
from releases.models import BrokenGlass, EmergencyRollback, Release, RoleGrant, Service, Step
from releases.permissions import services_with, visible_services
from releases.refusals import NotTheirs
from releases.selectors import glasses as glass_selectors
from releases.selectors import inbox as inbox_selectors
from releases.selectors.roles import covering
from releases.services.access.people import may_administer
from terraform_runner.models import Run

Row = TypeVar("Row", bound=Model)


def signed_in(request: HttpRequest) -> User:
    """The account behind a request; the middleware lets nobody else through."""
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in first.")
    return request.user


def administrator(request: HttpRequest) -> User:
    """The account behind a request about people, groups and other people's tokens: an administrator of everything."""
    user = signed_in(request)
    answer = may_administer(user)
    if isinstance(answer, Refused):
        raise PermissionDenied(answer.reason)
    return user


def number_in(text: str) -> int | None:
    """A number that an address has, in plain digits; None where it has none, or one that is none of ours."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def find_service(request: HttpRequest, name: str) -> Service:
    """The service of this name, if this person may see it."""
    found = visible_services(signed_in(request)).filter(name=name).first()
    return found or _refuse(Service.objects.filter(name=name), f"The service {name} is not theirs to see.")


def find_release(service: Service, number: int) -> Release:
    """A release of this service, not of another one."""
    return get_object_or_404(service.releases.select_related("requested_by"), number=number)


def find_step(service: Service, step_id: UUID) -> Step:
    """A step of this service that belongs to a release."""
    steps = service.steps.filter(release__isnull=False).select_related("service", "release", "plan_run")
    return steps.filter(pk=step_id).first() or _refuse_other(service, Step.objects.filter(pk=step_id))


def find_change(service: Service, step_id: UUID) -> Step:
    """A step of this service that belongs to no release."""
    steps = service.steps.filter(release__isnull=True)
    return steps.filter(pk=step_id).first() or _refuse_other(service, Step.objects.filter(pk=step_id))


def find_plan(request: HttpRequest, step_id: UUID) -> Step:
    """A step that has had a plan, or whose request waits, of a service that this person may see."""
    decidable = Q(plan_run__isnull=False) | ~Q(request_digest="")
    steps = Step.objects.filter(decidable, service__in=visible_services(signed_in(request)))
    with_all = steps.select_related("service", "release", "release__requested_by", "requested_by", "plan_run")
    return theirs(with_all, "The plan is not theirs to see.", pk=step_id)


def find_run(service: Service, run_id: UUID) -> tuple[Step, Run]:
    """A run of this service, with the step that it belongs to."""
    having = Step.objects.filter(step_runs__run=run_id)
    step = having.filter(service=service).select_related("release").first()
    return step or _refuse_other(service, having), get_object_or_404(Run, pk=run_id)


def find_rollback(service: Service, press_id: UUID) -> EmergencyRollback | None:
    """An emergency rollback of this service, by any of its presses; None while the database does not have it."""
    named = EmergencyRollback.objects.filter(Q(pk=press_id) | Q(presses=press_id))
    mine = named.filter(service=service).select_related(
        "converge", "converge__plan_run", "converge__apply_run"
    )
    found = mine.select_related("pressed_by", "release").first()
    if found is None and named.exists():
        _refuse_other(service, named)
    return found


def find_grant(service: Service, grant_id: UUID) -> RoleGrant | None:
    """A role that holds on this service, through whatever; None for one that is gone."""
    named = RoleGrant.objects.filter(pk=grant_id)
    found = named.filter(covering(service)).first()
    if found is None and named.exists():
        _refuse(named, f"It does not hold on the service {service.name}.")
    return found


def theirs(found: QuerySet[Row], reason: str, **named: Any) -> Row:
    """What is named of all that this person may reach here; whatever else has that name is refused, for this reason."""
    return found.filter(**named).first() or _refuse(found.model._default_manager.filter(**named), reason)


def _refuse_other(service: Service, named: QuerySet[Any]) -> NoReturn:
    """Refuse what an address names below a service; what belongs to another one is asked for in vain, and noted."""
    _refuse(named.exclude(service=service), f"It does not belong to the service {service.name}.")


def _refuse(hidden: QuerySet[Any], reason: str) -> NoReturn:
    raise NotTheirs(reason) if hidden.exists() else Http404


def find_plans_to_decide(user: User) -> QuerySet[Step]:
    """The plans that wait for this person's decision, as one query."""
    return inbox_selectors.steps_to_decide(user, services=_services_to_approve(user))


def find_glasses_to_review(user: User) -> QuerySet[BrokenGlass]:
    """The broken glasses that wait for this person's review, as one query."""
    return glass_selectors.glasses_to_review(user, services=_services_to_approve(user))


def _services_to_approve(user: User) -> QuerySet[Service]:
    # One right at a time: for two at once guardian would fetch and compare all services here.
    may_approve = services_with(user, Permission.APPROVE)
    return visible_services(user).filter(pk__in=may_approve.values("pk"))
