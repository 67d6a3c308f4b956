"""Finds what an address names, as far as the caller may see it: everything else is 404."""

from uuid import UUID

from django.http import Http404

from releases.api.auth import ApiRequest, Caller
from releases.models import Release, Service, Step
from releases.permissions import visible_services
from releases.refusals import NotTheirs


def service_of(request: ApiRequest, name: str) -> Service:
    """The service of this name."""
    return service_for(request.caller, name)


def service_for(caller: Caller, name: str) -> Service:
    """The same for a caller whose request is over."""
    service = visible_services(caller.user).filter(name=name).first()
    if service is None:
        raise _none(is_elsewhere=Service.objects.filter(name=name).exists())
    return service


def release_of(service: Service, number: int) -> Release:
    """A release of this service, not of another one."""
    release = service.releases.select_related("requested_by").filter(number=number).first()
    if release is None:
        raise _none(is_elsewhere=False)
    return release


def step_of(release: Release, step_id: UUID) -> Step:
    """A step of this release, not of another one."""
    step = release.steps.select_related("service", "release", "plan_run").filter(pk=step_id).first()
    if step is None:
        raise _none(is_elsewhere=Step.objects.filter(pk=step_id).exists())
    return step


def _none(*, is_elsewhere: bool) -> Http404:
    return NotTheirs() if is_elsewhere else Http404()
