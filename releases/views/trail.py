"""The trail of a service: who, when, what, why."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit.actions import ACTIONS
from releases import selectors
from releases.forms import TrailFilter
from releases.views.lookups import find_service
from releases.views.pages import service_context
from releases.views.shown.events import events_shown

EVENTS_PER_PAGE = 50


@require_safe
def trail(request: HttpRequest, name: str) -> HttpResponse:
    """A page of the trail; all of the filter is in the address, so that it can be shared."""
    service = find_service(request, name)
    form = TrailFilter(request.GET)
    form.is_valid()
    wanted = form.cleaned_data
    found = selectors.trail_of_service(
        service, who=wanted.get("who", ""), action=wanted.get("what", ""), day=wanted.get("on")
    )
    before: UUID | None = wanted.get("before")
    if before is not None:
        found = found.filter(pk__lt=before)
    events = list(found[: EVENTS_PER_PAGE + 1])
    context = service_context(request, service) | {
        "events": events_shown(events[:EVENTS_PER_PAGE]),
        "older": _older(request, str(events[EVENTS_PER_PAGE - 1].pk))
        if len(events) > EVENTS_PER_PAGE
        else "",
        "form": form,
        "is_filtered": any(wanted.values()),
        "actions": ACTIONS.items(),
    }
    return render(request, "releases/trail.html", context)


def _older(request: HttpRequest, last: str) -> str:
    """The address of the next page, with the same filter."""
    query = request.GET.copy()
    query["before"] = last
    return query.urlencode()
