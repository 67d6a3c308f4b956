"""The audit trail: searching it, one event of it, and taking what was found along as a file."""

from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from urllib.parse import urlencode
from uuid import UUID

from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied
from django.db import close_old_connections
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from audit.models import AuditEvent
from audit.search import find
from releases.domain.access.decisions import Refused
from releases.domain.acts import Act
from releases.forms.trail import TrailForm
from releases.refusals import NotTheirs
from releases.selectors import trail as trail_selectors
from releases.services import facts
from releases.services.reports import trail_exports
from releases.services.reports.trail_exports import Form
from releases.views.lookups import find_service, signed_in
from releases.views.shown.events import events_shown, record_of

EVENTS_PER_PAGE = 50
DAYS = 7
_TYPES = {Form.CSV: "text/csv; charset=utf-8", Form.JSON_LINES: "application/jsonl; charset=utf-8"}


@require_safe
def service_trail(request: HttpRequest, name: str) -> HttpResponse:
    """The events of one service."""
    service = find_service(request, name)
    may_see = facts.possible_acts(signed_in(request), service)[Act.SEE_TRAIL]
    if isinstance(may_see, Refused):
        raise PermissionDenied(may_see.reason)
    return redirect(f"{reverse('audit')}?{urlencode({'service': service.name})}")


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """A page of what was found; all of the search is in the address."""
    seen = trail_selectors.seen_by(signed_in(request))
    form = TrailForm(request.GET, seen=seen)
    page = find(form.search, before=form.begins_before, limit=EVENTS_PER_PAGE) if form.is_valid() else None
    found = page.events if page else []
    numbers = trail_selectors.release_numbers(found)
    context = {
        "form": form,
        "may_see": bool(seen),
        "page": page,
        "events": events_shown(found, services=seen.services, numbers=numbers),
        "older": urlencode({**form.asked, "before": page.older}) if page and page.older else "",
        "newest": urlencode(form.asked),
        "periods": _periods(form.asked),
        "place": "audit",
    }
    return render(request, "releases/audit.html", context, status=200 if page else 422)


@require_safe
def audit_event(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """All of one event, with its place in the chain."""
    seen = trail_selectors.seen_by(signed_in(request))
    event = AuditEvent.objects.filter(pk=event_id).select_related("link").first()
    if event is None:
        raise Http404
    if not seen.may_see(event):
        raise NotTheirs("This event of the trail is not theirs to see.")
    [shown] = events_shown([event], services=seen.services, numbers=trail_selectors.release_numbers([event]))
    context = {"event": shown, "record": record_of(event), "place": "audit"}
    return render(request, "releases/audit_event.html", context)


@require_POST
def audit_export(request: HttpRequest) -> HttpResponseBase:
    """What the search finds, as a file; nothing of it is kept in memory, and nothing held while it is read."""
    user = signed_in(request)
    seen = trail_selectors.seen_by(user)
    form, wanted = TrailForm(request.POST, seen=seen), request.POST.get("as", "")
    if not form.is_valid() or wanted not in list(Form):
        return redirect(f"{reverse('audit')}?{urlencode(form.asked)}")
    written_as = Form(wanted)
    trail_exports.note_export(form.asked, written_as, user)
    name = f"audit-{timezone.now():%Y-%m-%d-%H%M%S}.{written_as}"
    return StreamingHttpResponse(
        _streamed(trail_exports.parts(form.search, written_as, seen.services)),
        content_type=_TYPES[written_as],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _streamed(parts: Iterator[str]) -> AsyncIterator[str]:
    while (part := await sync_to_async(_next)(parts)) is not None:
        yield part


def _next(parts: Iterator[str]) -> str | None:
    """Whoever reads slowly holds no connection."""
    try:
        return next(parts, None)
    finally:
        close_old_connections()


def _periods(asked: dict[str, str]) -> list[dict[str, object]]:
    """One press for what people ask most: one of the last days, or all of a longer time."""
    today = timezone.now().date()
    days = [today - timedelta(days=ago) for ago in range(DAYS)]
    names = ["Today", "Yesterday", *(f"{day:%A} {day.day}" for day in days[2:])]
    periods = [*zip(names, days, days, strict=True), ("Last 30 days", today - timedelta(days=29), today)]
    return [_period(asked, name, since, until) for name, since, until in periods] + [
        _period(asked, "Any time")
    ]


def _period(
    asked: dict[str, str], name: str, since: date | None = None, until: date | None = None
) -> dict[str, object]:
    others = {field: text for field, text in asked.items() if field not in ("since", "until")}
    dates = {"since": str(since), "until": str(until)} if since else {}
    is_chosen = {field: asked[field] for field in ("since", "until") if field in asked} == dates
    return {"name": name, "query": urlencode(others | dates), "is_chosen": is_chosen}
