"""What may be done with a step that belongs to no release, on its service's page: decide, call off, try again."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from releases.domain.errors import IllegalChange
from releases.forms.release import ShownPlanForm
from releases.models import Service
from releases.permissions import NotAllowed
from releases.services.approval import approvals
from releases.services.errors import ActRefused, is_personal
from releases.services.provisioning import managed
from releases.services.provisioning.managed import ManagingRefused
from releases.views.acts import decide_as_shown
from releases.views.lookups import find_change, find_service, signed_in
from releases.views.services import render_service


@require_POST
def change_approve(request: HttpRequest, name: str, step_id: UUID) -> HttpResponse:
    """Approve the plan that the page showed."""
    return _decide(request, name, step_id, approvals.approve, "Approved.")


@require_POST
def change_reject(request: HttpRequest, name: str, step_id: UUID) -> HttpResponse:
    """Reject the plan that the page showed."""
    return _decide(request, name, step_id, approvals.reject, "Rejected.")


@require_POST
def change_cancel(request: HttpRequest, name: str, step_id: UUID) -> HttpResponse:
    """Call off what was asked for."""
    service = find_service(request, name)
    step = find_change(service, step_id)
    return _act(
        request, service, partial(managed.cancel, step_id=step.pk, user=signed_in(request)), "Called off."
    )


@require_POST
def change_retry(request: HttpRequest, name: str, step_id: UUID) -> HttpResponse:
    """Plan again what failed."""
    service = find_service(request, name)
    step = find_change(service, step_id)
    return _act(
        request,
        service,
        partial(managed.retry, step_id=step.pk, user=signed_in(request)),
        "It is planned again.",
    )


def _decide(
    request: HttpRequest, name: str, step_id: UUID, decide: Callable[..., None], done: str
) -> HttpResponse:
    service = find_service(request, name)
    step, form = find_change(service, step_id), ShownPlanForm(request.POST)
    act = partial(decide_as_shown, form, decide, step=step, user=signed_in(request))
    return _act(request, service, act, done)


def _act(request: HttpRequest, service: Service, act: Callable[[], None], done: str) -> HttpResponse:
    try:
        act()
    except NotAllowed as error:
        raise PermissionDenied(error.message) from error
    except (ActRefused, ManagingRefused, IllegalChange) as error:
        if is_personal(error):
            raise PermissionDenied(error.message) from error
        return render_service(request, service.name, problem=error.message)
    messages.success(request, done)
    return redirect("service-detail", name=service.name)
