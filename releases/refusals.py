"""Every refusal that a person meets goes to the trail from here, whether it is of an act or of a look."""

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


class NotTheirs(Http404):
    """There is such a thing, but not here or not for this person, who is told that there is none."""


class RefusalsMiddleware(MiddlewareMixin):
    """Records ``PermissionDenied`` and ``NotTheirs``; addresses that lead nowhere are no refusals."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Add the event; whatever comes of that, the refusal stands."""
        user = getattr(request, "user", None)
        if not isinstance(exception, PermissionDenied | NotTheirs) or not isinstance(user, User):
            return
        try:
            _record(request, user, exception)
        except Error as error:
            logger.warning("a refusal of %s could not be recorded: %s", request.path, error)


@transaction.atomic
def _record(request: HttpRequest, user: User, exception: Exception) -> None:
    match = request.resolver_match
    name = match.kwargs.get("name", "") if match else ""
    service = Service.objects.filter(name=name).first()
    events.record(
        actor=person(user),
        action="access.refused",
        service_id=str(service.pk) if service else "",
        subject={
            "act": f"{request.method} {match.url_name if match else ''}",
            "path": request.path[:400],
            "answer": 404 if isinstance(exception, Http404) else 403,
        },
        reason=str(exception),
    )
