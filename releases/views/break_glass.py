"""Breaking the glass at a gate, and its review afterwards: each is one call of a service."""

from functools import partial
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from releases.forms.release import ShownPlanForm
from releases.models import BrokenGlass
from releases.services.approval import break_glass
from releases.views.acts import carry_out, refused, release_of
from releases.views.lookups import find_service, find_step, signed_in, theirs

MOST_LETTERS = 2000


@require_POST
def step_break_glass(request: HttpRequest, name: str, step_id: UUID) -> HttpResponse:
    """Open the gate that the page showed, alone."""
    service = find_service(request, name)
    step, form = find_step(service, step_id), ShownPlanForm(request.POST)
    if form.problem:
        return refused(request, service, release_of(step), form.problem)
    act = partial(
        break_glass.break_glass,
        step_id=step.pk,
        user=signed_in(request),
        shown=form.identity,
        reason=request.POST.get("glass_reason", "")[:MOST_LETTERS],
        typed=request.POST.get("typed", ""),
    )
    done = "The glass is broken: somebody else has to review it."
    return carry_out(request, service, release_of(step), act, done, seen=form.identity.sha256)


@require_POST
def broken_glass_review(request: HttpRequest, name: str, broken_id: UUID) -> HttpResponse:
    """Say what one has found."""
    service = find_service(request, name)
    glasses = BrokenGlass.objects.filter(step__service=service).select_related("step__release")
    broken = theirs(glasses, f"It does not belong to the service {service.name}.", pk=broken_id)
    if broken.step.release is None:
        raise Http404
    comment = request.POST.get("review", "")[:MOST_LETTERS]
    act = partial(break_glass.review, broken_id=broken.pk, user=signed_in(request), comment=comment)
    return carry_out(request, service, broken.step.release, act, "Reviewed.")
