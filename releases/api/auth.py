"""Who calls: by a token in the header, and by nothing else. A session's cookie means nothing here."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from ninja.security.http import HttpAuthBase

from releases.api.problems import UNAUTHENTICATED, ApiProblem
from releases.models import Token
from releases.permissions import limited
from releases.services.access import tokens

_SCHEME = "bearer"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The token, and its person, who may do no more than the token passes on."""

    token: Token
    user: User


class ApiRequest(HttpRequest):
    """A request whose caller is known, with the JSON that it has sent."""

    caller: Caller
    document: Any


class BearerToken(HttpAuthBase):
    """Says in the OpenAPI document how one signs in; the caller was found before (:mod:`releases.api.entrance`)."""

    openapi_scheme = _SCHEME

    def __call__(self, request: HttpRequest) -> Caller | None:
        """The caller."""
        return getattr(request, "caller", None)


def authenticate(request: HttpRequest) -> Caller:
    """Who calls. Raises ``ApiProblem``."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    token = tokens.find(secret.strip()) if scheme.lower() == _SCHEME else None
    if token is None:
        raise ApiProblem(UNAUTHENTICATED)
    return _caller(token)


def still_calling(caller: Caller) -> Caller | None:
    """The same caller, as they are now; None where the token counts no more."""
    token = tokens.find_again(caller.token.digest)
    return _caller(token) if token else None


def _caller(token: Token) -> Caller:
    return Caller(token=token, user=limited(token.user, tokens.scope_of(token)))
