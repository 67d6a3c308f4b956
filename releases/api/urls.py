"""The API's addresses, each behind :mod:`releases.api.entrance`."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path, re_path
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser

from releases import refusals
from releases.api import releases, rollbacks, services
from releases.api.auth import ApiRequest, BearerToken
from releases.api.entrance import View, by_token, for_anybody, nothing_here
from releases.api.limits import PerToken
from releases.api.problems import problem_of

DESCRIPTION = "Everything that a pipeline needs. What goes wrong is a problem document (RFC 9457)."


class _DocumentRead(Parser):
    """The body was read and bounded before (:mod:`releases.api.documents`)."""

    def parse_body(self, request: HttpRequest) -> Any:  # noqa: ANN401 - any JSON
        return getattr(request, "document", None)


def _respond(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    """The answer to what went wrong in an operation; what its caller may not do or see goes to the trail."""
    error = error if isinstance(error, Exception) else error()
    problem = problem_of(error)
    if problem.status == 403 or isinstance(error, refusals.NotTheirs):
        user = cast(ApiRequest, request).caller.user
        refusals.note(request, user, answer=problem.status, code=problem.code, reason=problem.detail)
    return problem.response()


api = NinjaAPI(
    title="Bluegreen",
    version="1",
    description=DESCRIPTION,
    docs_url=None,
    urls_namespace="api",
    auth=BearerToken(),
    parser=_DocumentRead(),
    throttle=PerToken(),
)
for kind in (Exception, Http404, HttpError, ValidationError):
    api.add_exception_handler(kind, _respond)
api.add_router("", services.router)
api.add_router("", releases.router)
api.add_router("", rollbacks.router)


# The description finds its own addresses by that of the root, where there is nothing.
_GUARDS: dict[str, Callable[[View], View]] = {
    "openapi-json": for_anybody,
    "api-root": lambda view: nothing_here,
}


def _behind_the_entrance(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for one in patterns:
        if isinstance(one, URLPattern):
            guard = _GUARDS.get(one.name or "", by_token)
            yield path(str(one.pattern), guard(one.callback), name=one.name)


app_name = "api"
urlpatterns = [
    *_behind_the_entrance(api.urls[0]),
    re_path(r"^.*$", nothing_here, name="nothing-here"),
]
