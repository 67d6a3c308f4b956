"""The list of services, and one service."""

from typing import Any

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from releases import selectors
from releases.domain.access.decisions import Permission
from releases.models import Release, Service
from releases.permissions import services_with, visible_services
from releases.views.lookups import find_service, number_in, signed_in
from releases.views.pages import page_of, service_context
from releases.views.shown.canary import canary_rules
from releases.views.shown.change import change_of
from releases.views.shown.next_release import next_release
from releases.views.shown.overview import service_rows
from releases.views.shown.ready import taking_over
from releases.views.shown.waiting import waiting_of
from releases.views.shown.words import release_status, step_title

RELEASES_PER_PAGE = 10


@require_safe
def service_list(request: HttpRequest) -> HttpResponse:
    """All services that one may see, those that need attention first."""
    return render(request, "releases/service_list.html", _list_context(request))


@require_safe
def service_detail(request: HttpRequest, name: str) -> HttpResponse:
    """Both colours of a service, how they are reached, what is going on, and what was."""
    return render_service(request, name)


def render_service(request: HttpRequest, name: str, *, problem: str = "") -> HttpResponse:
    """The page of a service; with a ``problem`` it answers 409 to an act that was refused, and keeps the comment."""
    context = _service_context(request, find_service(request, name)) | {
        "problem": problem,
        "comment": request.POST.get("comment", ""),
    }
    return render(request, "releases/service_detail.html", context, status=409 if problem else 200)


def _list_context(request: HttpRequest) -> dict[str, Any]:
    services = visible_services(signed_in(request))
    with_removed = "removed" in request.GET
    if not with_removed:
        services = services.filter(removed_at__isnull=True)
    query = request.GET.get("q", "").strip()[:40]
    if query:
        services = services.filter(name__icontains=query)
    may_press = services_with(signed_in(request), Permission.EMERGENCY).filter(pk=OuterRef("pk"))
    services = services.annotate(may_press=Exists(may_press))
    page = page_of(request, selectors.by_need_of_attention(services))
    rows = service_rows(list(page.object_list))
    attention = [row for row in rows if row.needs_attention]
    return {
        "page": page,
        "rows": rows,
        "attention": attention,
        "query": query,
        "with_removed": with_removed,
        "may_roll_back_all": any(
            row.is_in_progress for row in rows if getattr(row.service, "may_press", False)
        ),
    }


def _service_context(request: HttpRequest, service: Service) -> dict[str, Any]:
    below = number_in(request.GET.get("below", ""))
    found = selectors.list_releases(service, below=below, limit=RELEASES_PER_PAGE + 1)
    history = [
        (release, release_status(release), _is_what_users_have(service, release))
        for release in found[:RELEASES_PER_PAGE]
    ]
    step = selectors.current_step(service)
    return service_context(request, service) | {
        "history": history,
        "older": history[-1][0].number if len(found) > RELEASES_PER_PAGE else None,
        "first_tag": history[-1][0].from_tag if history and len(found) <= RELEASES_PER_PAGE else "",
        "step": step,
        "step_title": step_title(step) if step else "",
        "waiting": waiting_of(step, signed_in(request)),
        "row": service_rows([service])[0],
        "rehearsal": service.rehearsals.select_related("plan_run").first(),
        "taking_over": taking_over(service),
        "canary_rules": canary_rules(service),
        "next": next_release(service, signed_in(request)) if step is None else None,
        "change": change_of(signed_in(request), service, step) if step else None,
    }


def _is_what_users_have(service: Service, release: Release) -> bool:
    has = service.state.version_of(service.state.serving)
    return (release.image, release.configuration) == (has.image, has.configuration)
