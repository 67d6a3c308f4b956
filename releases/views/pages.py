"""What pages share: a service's bar of acts, which is at the same place everywhere, and long lists."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from releases import selectors
from releases.domain.access.decisions import Refused
from releases.domain.acts import REASON_DUE, Act
from releases.models import Service
from releases.selectors.counts import count_of
from releases.services import facts
from releases.views.lookups import number_in, signed_in
from releases.views.shown.traffic import traffic_of

ROWS_PER_PAGE = 50


def searched_for(request: HttpRequest) -> str:
    """The words that a list is asked for."""
    return request.GET.get("q", "").replace("\0", "").strip()[:80]


def page_of(request: HttpRequest, found: QuerySet[Any], rows: int = ROWS_PER_PAGE) -> Page[Any]:
    """The page of a list that the address names, in one query; the nearest one where there is none such."""
    pages, number = Paginator(found, rows), number_in(request.GET.get("page", "")) or 1
    shown = list(found.annotate(of_all=count_of(found))[(number - 1) * rows : number * rows])
    if not shown and number > 1:
        return pages.get_page(number)
    pages.count = shown[0].of_all if shown else 0
    return Page(shown, number, pages)


def service_context(request: HttpRequest, service: Service) -> dict[str, Any]:
    """The service, its traffic, and which acts are possible now, each with the reason where not."""
    acts = facts.possible_acts(signed_in(request), service)
    request_answer = acts[Act.REQUEST]
    is_due = isinstance(request_answer, Refused) and request_answer.code == REASON_DUE
    return {
        "service": service,
        "rollback_without_reason": selectors.last_rollback(service) if is_due else None,
        "traffic": traffic_of(service),
        "acts": {act.value: answer for act, answer in acts.items()},
        "may_request": request_answer,
        "may_roll_back": acts[Act.ROLL_BACK],
    }
