"""What each request to the API goes through before its operation: who calls, and whether the body can be read."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from audit.context import acting_in
from releases.api import problems
from releases.api.auth import ApiRequest, authenticate
from releases.api.documents import read_document
from releases.api.idempotency import once
from releases.api.problems import Problem

View = Callable[..., HttpResponseBase]


def by_token(view: View) -> View:
    """The operations of an address for whoever has a token; what they do is recorded as done by it."""

    @login_not_required
    @csrf_exempt
    @wraps(view)
    def entrance(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            called = cast(ApiRequest, request)
            called.caller = authenticate(request)
            token = called.caller.token
            with acting_in(token_id=str(token.pk), token_name=token.name):
                called.document = read_document(request)
                answer = partial(view, request, *args, **kwargs)
                return _kept_by_nobody(_without_pages(once(called, answer)))
        except Exception as error:  # noqa: BLE001 - whatever it is, programs get a document
            return _kept_by_nobody(problems.problem_of(error).response())

    return entrance


@login_not_required
@csrf_exempt
def nothing_here(request: HttpRequest) -> HttpResponse:
    """The answer at addresses that there are none of."""
    return problems.NOT_FOUND.response()


def for_anybody(view: View) -> View:
    """An address without secrets, such as the description of the API."""
    return login_not_required(view)


def _without_pages(response: HttpResponseBase) -> HttpResponseBase:
    if not isinstance(response, HttpResponseNotAllowed):
        return response
    allowed = response.headers["Allow"]
    problem = Problem(
        status=405,
        code="request:method",
        detail=f"Only {allowed} can be asked for here.",
        headers={"Allow": allowed},
    )
    return problem.response()


def _kept_by_nobody(response: HttpResponseBase) -> HttpResponseBase:
    response.headers["Cache-Control"] = "no-store"
    return response
