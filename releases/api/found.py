"""Finds what an address names, as far as the caller may see it: everything else is 404."""

from uuid import UUID

from django.shortcuts import get_object_or_404

from releases.api.auth import ApiRequest
from releases.models import Release, Service, Step
from releases.permissions import visible_services


def service_of(request: ApiRequest, name: str) -> Service:
    """The service of this name."""
    return get_object_or_404(visible_services(request.caller.user), name=name)


def release_of(service: Service, number: int) -> Release:
    """A release of this service, not of another one."""
    return get_object_or_404(service.releases.select_related("requested_by"), number=number)


def step_of(release: Release, step_id: UUID) -> Step:
    """A step of this release, not of another one."""
    return get_object_or_404(release.steps.select_related("service", "release", "plan_run"), pk=step_id)
