"""Calls the API in tests, by a token of whoever calls."""

import json
from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from releases.domain.access.decisions import Permission
from releases.models import Service
from releases.permissions import limited
from releases.services.access import tokens
from releases.services.access.tokens import WantedToken

ADDRESS = "/api/v1"


def secret_of(
    user: User,
    *permissions: Permission,
    services: Collection[Service] | None = None,
    environment: str = "",
    days: int = 30,
) -> str:
    """A new token that passes on these rights, or all."""
    wanted = WantedToken(
        name="ci",
        days=days,
        permissions=frozenset(permissions or Permission),
        services=None if services is None else list(services),
        environment=environment,
    )
    return tokens.make(user, wanted)[1]


def bearer(secret: str) -> User:
    """Whoever acts by this token."""
    token = tokens.find(secret)
    assert token is not None
    return limited(token.user, tokens.scope_of(token))


def call(secret: str | None, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """The answer of the API to a call with a token, or without one; a ``body`` that is no bytes is sent as JSON."""
    if secret is not None:
        headers["Authorization"] = f"Bearer {secret}"
    content = body if isinstance(body, bytes) or body is None else json.dumps(body)
    sent: dict[str, Any] = {} if content is None else {"data": content, "content_type": "application/json"}
    return Client(raise_request_exception=False).generic(method, ADDRESS + path, headers=headers, **sent)


def problem(response: Any, status: int) -> dict[str, Any]:
    """The problem document of an answer, which has this status."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["status"] == status
    assert document["request_id"] == response["X-Request-ID"]
    return document
