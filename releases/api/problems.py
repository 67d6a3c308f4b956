"""Everything that can go wrong, as a problem document (RFC 9457).

``code`` is stable, for programs; ``detail`` says to people what to do; ``errors`` name the fields to correct.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, JsonResponse
from ninja.errors import AuthenticationError, Throttled, ValidationError

from audit.context import current
from aws.errors import AwsError
from releases.domain.errors import DomainError, InvalidCanary, InvalidRolloutPlan
from releases.domain.tickets import InvalidTicket
from releases.domain.versions.configuration import InvalidConfiguration
from releases.permissions import NotAllowed
from releases.services.errors import is_personal
from releases.services.execution.patience import DATABASE_AWAY
from releases.services.kept_answers import KeyReused

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One problem; ``more`` are further members of the document."""

    status: int
    code: str
    detail: str
    errors: Sequence[Mapping[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    def response(self) -> HttpResponse:
        """The document. Nobody keeps it."""
        document = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "request_id": current().get("request_id", ""),
            **({"errors": list(self.errors)} if self.errors else {}),
            **self.more,
        }
        return JsonResponse(
            document, status=self.status, headers=dict(self.headers), content_type=CONTENT_TYPE
        )


class ApiProblem(Exception):
    """A problem that the API itself has found."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


UNAUTHENTICATED = Problem(
    status=401,
    code="token:none",
    detail="Send a token that counts: “Authorization: Bearer bg_…”. This one is unknown, over, revoked, of an account "
    "that is no longer active, or missing.",
    headers={"WWW-Authenticate": 'Bearer realm="bluegreen"'},
)
NOT_FOUND = Problem(
    status=404, code="request:not-found", detail="There is no such thing here, or it is not yours to see."
)


def problem_of(error: Exception) -> Problem:
    """The problem that an error is to whoever called."""
    if isinstance(error, ApiProblem):
        return error.problem
    if isinstance(error, ValidationError):
        return _invalid([{"field": _field(one["loc"]), "message": one["msg"]} for one in error.errors])
    if isinstance(error, DomainError):
        return _refused(error)
    return _of_the_edges(error) or _unexpected(error)


def _refused(error: DomainError) -> Problem:
    field = _field_of(error)
    if isinstance(error, KeyReused):
        return _invalid([{"field": "Idempotency-Key", "message": error.message}], code=error.code)
    if field:
        return _invalid([{"field": field, "message": error.message}], code=error.code)
    is_theirs = isinstance(error, NotAllowed) or is_personal(error)
    return Problem(status=403 if is_theirs else 409, code=error.code, detail=error.message)


def _field_of(error: DomainError) -> str:
    """What to correct in the body, where it is that."""
    if isinstance(error, InvalidConfiguration):
        return f"configuration.{error.field}"
    if isinstance(error, InvalidCanary):
        return "canary_addresses"
    if isinstance(error, InvalidRolloutPlan):
        return _OF_A_PLAN.get(error.code, "weights")
    if isinstance(error, InvalidTicket):
        return "ticket"
    return "tag" if error.code == "request:tag" else ""


_OF_A_PLAN = {"rollout:gate": "gates", "rollout:automatic": "automatic", "rollout:bake": "bakes"}


def _of_the_edges(error: Exception) -> Problem | None:
    if isinstance(error, AuthenticationError):
        return UNAUTHENTICATED
    if isinstance(error, Http404):
        return NOT_FOUND
    if isinstance(error, PermissionDenied):
        return Problem(status=403, code="person:no-permission", detail=str(error))
    if isinstance(error, Throttled):
        return Problem(status=429, code="token:too-many", detail="Too many requests: ask less often.")
    return _of_others(error)


def _of_others(error: Exception) -> Problem | None:
    """Of AWS, and of the database."""
    if isinstance(error, AwsError):
        is_image = error.code in {"aws:image-missing", "aws:image-index"}
        if is_image:
            return _invalid([{"field": "tag", "message": error.message}], code=error.code)
        return Problem(status=502, code=error.code, detail=error.message)
    if isinstance(error, DATABASE_AWAY):
        logger.warning("the API is cut off from the database: %s", error)
        return Problem(
            status=503,
            code="database:away",
            detail="The database does not answer. Try again.",
            headers={"Retry-After": "5"},
        )
    return None


def _unexpected(error: Exception) -> Problem:
    logger.error("the API has failed", exc_info=error)
    return Problem(
        status=500,
        code="server:failed",
        detail="Something broke. The log has it under the id of this request.",
    )


def _invalid(errors: Sequence[Mapping[str, str]], code: str = "request:invalid") -> Problem:
    detail = " ".join(f"{error['field']}: {error['message']}" for error in errors)
    return Problem(status=422, code=code, detail=detail[:2000], errors=errors[:20])


def _field(location: Sequence[str | int]) -> str:
    """A field's name as the caller wrote it: without where it was, and what our own parameter is called."""
    parts = location[2:] if location[0] == "body" else location[1:]
    return ".".join(map(str, parts)) or "body"
