"""The emergency button for everything in progress: one press, and what came of it for each service."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from releases.domain.access.decisions import Permission, Refused
from releases.domain.lifecycle import StepStatus
from releases.domain.traffic import Color
from releases.models import Press, Service
from releases.permissions import services_with, visible_services
from releases.refusals import note
from releases.selectors import rollbacks as rollback_selectors
from releases.services.rollback import emergency, kept_presses
from releases.views.after_rollback import REFRESH_SECONDS
from releases.views.lookups import signed_in
from releases.views.shown.traffic import ColorShown, TrafficShown, traffic_of

# What the trail says of it; the page says nothing of services that it did not offer, as if there were none.
_NOT_THEIRS = Refused("person:no-permission", "The service is not theirs to roll back.")
_ENDED = frozenset({StepStatus.DONE, StepStatus.FAILED, StepStatus.ABANDONED})


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A service, where its users are, and where they would be sent."""

    service: Service
    traffic: TrafficShown
    to: ColorShown


@require_http_methods(["GET", "HEAD", "POST"])
def rollback_all(request: HttpRequest) -> HttpResponse:
    """Every service in progress that one may roll back; the press is for those that were shown and stay chosen."""
    user = signed_in(request)
    # One right at a time: for two at once guardian would fetch and compare all services here.
    pressable = services_with(user, Permission.EMERGENCY).values("pk")
    services = rollback_selectors.in_progress(visible_services(user).filter(pk__in=pressable)).order_by(
        "name"
    )
    if request.method != "POST":
        return render(
            request, "releases/rollback_all.html", {"rows": [_row(service) for service in services]}
        )
    named = Service.objects.filter(name__in=request.POST.getlist("service"))
    not_theirs = list(named.exclude(pk__in=pressable))
    batch, refusals = emergency.roll_back_all(list(services.filter(pk__in=named)), user)
    for service in not_theirs:
        note(request, user, answer=404, code=_NOT_THEIRS.code, reason=_NOT_THEIRS.reason, service=service)
    for refusal in refusals:
        messages.warning(request, refusal)
    return redirect("rollback-all-result", batch=batch)


@require_safe
def rollback_all_result(request: HttpRequest, batch: UUID) -> HttpResponse:
    """What came of each service's press; the page comes again by itself until all is known."""
    presses = rollback_selectors.presses_at_once(batch, visible_services(signed_in(request)))
    recorded = {press.pk for press in presses}
    kept = [one for one in kept_presses.kept() if one.batch == batch and one.id not in recorded]
    refreshes = bool(kept) or _goes_on(presses)
    context = {"presses": presses, "kept": kept, "refreshes": refreshes and "hold" not in request.GET}
    response = render(request, "releases/rollback_all_result.html", context)
    if context["refreshes"]:
        response["Refresh"] = str(REFRESH_SECONDS)
    return response


def _goes_on(presses: Sequence[Press]) -> bool:
    return any(press.rollback and press.rollback.converge.status not in _ENDED for press in presses)


def _row(service: Service) -> _Row:
    traffic = traffic_of(service)
    return _Row(service=service, traffic=traffic, to=traffic.of(Color(service.safe_color)))
