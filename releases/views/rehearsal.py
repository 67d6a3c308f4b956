"""Rehearsing the emergency button, and what the last rehearsal has shown."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from releases.domain.acts import may_rehearse
from releases.models import Service
from releases.permissions import NotAllowed, as_person
from releases.services import facts
from releases.services.rollback import rehearsals
from releases.services.rollback.rehearsals import RehearsalRefused
from releases.views.lookups import find_service, signed_in
from releases.views.pages import service_context
from releases.views.shown.rehearsed import plan_of


@require_http_methods(["GET", "HEAD", "POST"])
def rehearsal(request: HttpRequest, name: str) -> HttpResponse:
    """The last rehearsal part by part, and a button for the next one."""
    service = find_service(request, name)
    if request.method != "POST":
        return _page(request, service)
    try:
        rehearsals.rehearse(service_id=service.pk, user=signed_in(request))
    except NotAllowed as error:
        raise PermissionDenied(error.message) from error
    except RehearsalRefused as error:
        return _page(request, service, problem=error.message, status=409)
    return redirect("rehearsal", name=service.name)


def _page(request: HttpRequest, service: Service, *, problem: str = "", status: int = 200) -> HttpResponse:
    user = signed_in(request)
    last = service.rehearsals.select_related("rehearsed_by", "plan_run").first()
    context = service_context(request, service) | {
        "problem": problem,
        "rehearsal": last,
        "plan": plan_of(last, user) if last else None,
        "may_rehearse": may_rehearse(as_person(user, service), facts.service_facts(service)),
    }
    return render(request, "releases/rehearsal.html", context, status=status)
