"""Every refusal that somebody meets goes to the trail from here: of an act or of a look, by page, stream or API."""

import logging

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import Error, transaction
from django.http import Http404, HttpRequest
from django.utils.deprecation import MiddlewareMixin

from audit import events
from releases.models import Service
from releases.services.lifecycle import person

logger = logging.getLogger(__name__)

# What an address may name that belongs to a service, and how that is found; a service's own name goes first.
_SERVICE_BY = {"name": "name", "step_id": "steps", "run_id": "steps__step_runs__run"}


class NotTheirs(Http404):
    """There is such a thing, but not here or not for this person, who is told that there is none."""


class RefusalsMiddleware(MiddlewareMixin):
    """Notes ``PermissionDenied`` and ``NotTheirs``; addresses that lead nowhere are no refusals."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Add the event; the exception goes on to become the page that says so."""
        user = getattr(request, "user", None)
        if isinstance(exception, PermissionDenied | NotTheirs) and isinstance(user, User):
            code = getattr(exception.__cause__, "code", "")
            answer = 404 if isinstance(exception, Http404) else 403
            note(request, user, answer=answer, code=code, reason=str(exception))


def note(
    request: HttpRequest, user: User, *, answer: int, code: str, reason: str, service: Service | None = None
) -> None:
    """Add the event; whatever comes of that, the refusal stands. ``answer`` is a status of HTTP.

    ``service`` is the one that it is about, where the address does not say it.
    """
    try:
        _record(request, user, service, {"answer": answer, **({"code": code} if code else {})}, reason)
    except Error as error:
        logger.warning("a refusal of %s could not be recorded: %s", request.path, error)


@transaction.atomic
def _record(
    request: HttpRequest, user: User, service: Service | None, answered: dict[str, object], reason: str
) -> None:
    match = request.resolver_match
    service = service or _service_named(match.kwargs if match else {})
    events.record(
        actor=person(user),
        action="access.refused",
        service_id=str(service.pk) if service else "",
        subject={
            "act": f"{request.method} {match.url_name if match else ''}",
            "path": request.path[:400],
            **answered,
        },
        reason=reason,
    )


def _service_named(named: dict[str, object]) -> Service | None:
    """The service that an address is about, if any: the event is in its trail."""
    by = next(({found: named[what]} for what, found in _SERVICE_BY.items() if what in named), None)
    return Service.objects.filter(**by).first() if by else None
