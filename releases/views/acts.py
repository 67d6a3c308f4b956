"""The acts on a step: start, approve, reject, withdraw. Each is one call of a service."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from releases.domain.errors import IllegalChange
from releases.forms.release import ShownPlanForm
from releases.models import Release, Service, Step
from releases.services.approval import approvals
from releases.services.errors import ActRefused, is_personal
from releases.views.lookups import find_release, find_service, find_step, signed_in
from releases.views.releases import render_release


@require_POST
def step_start(request: HttpRequest, name: str, step_id: UUID) -> HttpResponse:
    """Let a step go on."""
    service = find_service(request, name)
    step = find_step(service, step_id)
    start = partial(approvals.start, step_id=step.pk, user=signed_in(request))
    return carry_out(request, service, release_of(step), start, "Started.")


@require_POST
def step_approve(request: HttpRequest, name: str, step_id: UUID) -> HttpResponse:
    """Approve the plan that the page showed."""
    return _decide(request, name, step_id, approvals.approve, "Approved.")


@require_POST
def step_reject(request: HttpRequest, name: str, step_id: UUID) -> HttpResponse:
    """Reject the plan that the page showed."""
    return _decide(request, name, step_id, approvals.reject, "Rejected.")


@require_POST
def step_withdraw(request: HttpRequest, name: str, step_id: UUID) -> HttpResponse:
    """Take one's own approval back."""
    service = find_service(request, name)
    step = find_step(service, step_id)
    withdraw = partial(approvals.withdraw, step_id=step.pk, user=signed_in(request))
    return carry_out(request, service, release_of(step), withdraw, "Your approval is withdrawn.")


def _decide(
    request: HttpRequest, name: str, step_id: UUID, decide: Callable[..., None], done: str
) -> HttpResponse:
    service = find_service(request, name)
    step = find_step(service, step_id)
    form = ShownPlanForm(request.POST)
    act = partial(decide_as_shown, form, decide, step=step, user=signed_in(request))
    seen = "" if form.problem else form.identity.sha256
    return carry_out(request, service, release_of(step), act, done, seen=seen)


def decide_as_shown(form: ShownPlanForm, decide: Callable[..., None], *, step: Step, user: User) -> None:
    """Decide at a step on the very plan that a page showed, whatever page that was. Raises ``ActRefused``."""
    if form.problem:
        raise ActRefused("decision:unclear", form.problem)
    decide(step_id=step.pk, user=user, shown=form.identity, comment=form.cleaned_data["comment"])


def carry_out(
    request: HttpRequest,
    service: Service,
    release: Release,
    act: Callable[[], None],
    done: str,
    *,
    seen: str = "",
) -> HttpResponse:
    """Do something with a release; back on its page, it says that it is done, or why it was refused.

    ``seen`` is the SHA-256 of the plan that the page showed: where it is another one by now, the page says in what.
    """
    try:
        act()
    except (ActRefused, IllegalChange) as error:
        if is_personal(error):
            raise PermissionDenied(error.message) from error
        return refused(request, service, release, error.message, seen=seen)
    messages.success(request, done)
    return redirect("release-detail", name=service.name, number=release.number)


def refused(
    request: HttpRequest, service: Service, release: Release, problem: str, *, seen: str = ""
) -> HttpResponse:
    """The release as it is by now, with what is wrong with the act, and what was typed."""
    service = find_service(request, service.name)
    typed = {name: request.POST.get(name, "") for name in ("comment", "share", "glass_reason", "review")}
    return render_release(
        request, service, find_release(service, release.number), problem=problem, typed=typed, seen=seen
    )


def release_of(step: Step) -> Release:
    """A step's release; what has none is not on a page."""
    if step.release is None:
        raise Http404
    return step.release
