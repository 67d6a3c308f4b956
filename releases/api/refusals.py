"""Refusals that a token meets go to the trail: what its bearer may not do, and what is there but not for them."""

import logging
from typing import cast

from django.db import Error, transaction
from django.http import Http404, HttpRequest, HttpResponse

from audit import events
from releases.api.auth import ApiRequest
from releases.api.problems import Problem, problem_of
from releases.models import Service
from releases.services.lifecycle import person

logger = logging.getLogger(__name__)


class NotTheirs(Http404):
    """There is such a thing, but not here or not for this person, who is told that there is none."""


def respond(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    """The answer to what went wrong in an operation; a refusal is recorded, and stands whatever comes of that."""
    error = error if isinstance(error, Exception) else error()
    problem = problem_of(error)
    if problem.status == 403 or isinstance(error, NotTheirs):
        try:
            _record(cast(ApiRequest, request), problem)
        except Error as trouble:
            logger.warning("a refusal of %s could not be recorded: %s", request.path, trouble)
    return problem.response()


@transaction.atomic
def _record(request: ApiRequest, problem: Problem) -> None:
    match = request.resolver_match
    name = match.kwargs.get("name", "") if match else ""
    service = Service.objects.filter(name=name).first()
    events.record(
        actor=person(request.caller.user),
        action="access.refused",
        service_id=str(service.pk) if service else "",
        subject={
            "act": f"{request.method} {match.url_name if match else ''}",
            "path": request.path[:400],
            "answer": problem.status,
            "code": problem.code,
        },
        reason=problem.detail,
    )
