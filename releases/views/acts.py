"""The acts on a step: start, approve, reject. Each is one call of a service; what it refuses is said on the page."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from releases.domain.approval_policy import PlanIdentity
from releases.domain.errors import DomainError, IllegalChange
from releases.forms import ShownPlanForm
from releases.models import Release, Service, Step
from releases.services import approvals
from releases.services.errors import ActRefused
from releases.views.lookups import find_service, find_step, signed_in
from releases.views.releases import render_release

# Whatever the state of the release: these are refused to the person.
_PERSONAL = ("person:", "approval:own-release")


@require_POST
def step_start(request: HttpRequest, name: str, step_id: UUID) -> HttpResponse:
    """Let a step go on."""
    service = find_service(request, name)
    step = find_step(service, step_id)
    start = partial(approvals.start, step_id=step.pk, user=signed_in(request))
    return _act(request, service, step, start, "Started.")


@require_POST
def step_approve(request: HttpRequest, name: str, step_id: UUID) -> HttpResponse:
    """Approve the plan that the page showed."""
    return _decide(request, name, step_id, approvals.approve, "Approved.")


@require_POST
def step_reject(request: HttpRequest, name: str, step_id: UUID) -> HttpResponse:
    """Reject the plan that the page showed."""
    return _decide(request, name, step_id, approvals.reject, "Rejected.")


def _decide(
    request: HttpRequest, name: str, step_id: UUID, decide: Callable[..., None], done: str
) -> HttpResponse:
    service = find_service(request, name)
    step = find_step(service, step_id)
    form = ShownPlanForm(request.POST)
    if not form.is_valid():
        return _refused(request, service, step, _what_is_wrong(form))
    shown = PlanIdentity(
        sha256=form.cleaned_data["sha256"], changes_digest=form.cleaned_data["changes_digest"]
    )
    comment = form.cleaned_data["comment"]
    act = partial(decide, step_id=step.pk, user=signed_in(request), shown=shown, comment=comment)
    return _act(request, service, step, act, done)


def _what_is_wrong(form: ShownPlanForm) -> str:
    said = form.errors.get("comment")
    return (
        str(said[0]) if said else "The page did not say which plan it showed: look at it, and decide again."
    )


def _act(
    request: HttpRequest, service: Service, step: Step, act: Callable[[], None], done: str
) -> HttpResponse:
    try:
        act()
    except (ActRefused, IllegalChange) as error:
        return _refused_by(request, service, step, error)
    messages.success(request, done)
    return redirect("release-detail", name=service.name, number=_release_of(step).number)


def _refused_by(request: HttpRequest, service: Service, step: Step, error: DomainError) -> HttpResponse:
    if error.code.startswith(_PERSONAL):
        raise PermissionDenied(error.message) from error
    return _refused(request, service, step, error.message)


def _refused(request: HttpRequest, service: Service, step: Step, problem: str) -> HttpResponse:
    comment = request.POST.get("comment", "")
    return render_release(
        request, find_service(request, service.name), _release_of(step), problem=problem, comment=comment
    )


def _release_of(step: Step) -> Release:
    if step.release is None:
        raise Http404
    return step.release
