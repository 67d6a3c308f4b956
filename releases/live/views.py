"""The addresses of the streams. What the person may not see isn't there: 404."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from releases.live.streams import is_complete, log_events, page_events
from releases.live.watching import Topics, TopicsOf, Watcher, all_services, ask_database, one_run, one_service
from releases.models import Service
from releases.refusals import NotTheirs
from terraform_runner.models import Run

# A proxy that collects or compresses the answer would hold the events back.
HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
Events = Callable[[Watcher, Topics], AsyncIterator[bytes]]


@require_GET
async def list_events(request: HttpRequest) -> HttpResponseBase:
    """For pages about all services that the person may see."""
    return await _stream(request, all_services(), page_events, Service.objects.none())


@require_GET
async def service_events(request: HttpRequest, name: str) -> HttpResponseBase:
    """For pages about one service."""
    return await _stream(request, one_service(name), page_events, Service.objects.filter(name=name))


@require_GET
async def run_events(request: HttpRequest, run_id: UUID) -> HttpResponseBase:
    """For a page with the log of a run that goes on. 204, which ends an EventSource, when nothing more will come."""
    after = _position(request)
    events = partial(log_events, run_id=run_id, after=after)
    response = await _stream(request, one_run(run_id), events, Run.objects.filter(pk=run_id))
    if await ask_database(partial(is_complete, run_id, after)):
        return HttpResponse(status=204, headers=HEADERS)
    return response


async def _stream(
    request: HttpRequest, topics_of: TopicsOf, events: Events, hidden: QuerySet[Any]
) -> HttpResponseBase:
    """``hidden`` is what there may be although the person may not see it."""
    watcher = Watcher(session=request.session, topics_of=topics_of)
    topics = await watcher.topics()
    if topics is None:
        raise NotTheirs("The stream is not theirs to see.") if await ask_database(hidden.exists) else Http404
    return StreamingHttpResponse(
        events(watcher, topics), content_type="text/event-stream; charset=utf-8", headers=HEADERS
    )


def _position(request: HttpRequest) -> int:
    """How many lines the page has: what an EventSource says when it connects again, else what the page asked for."""
    text = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
