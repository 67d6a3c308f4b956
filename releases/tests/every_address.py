"""Every address of the site, as the URL table itself has them, and somebody who asks for them."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from audit.models import AuditEvent
from releases.tests.api import secret_of

API = "api:"
# The API's description, and what answers where it has no operation.
OF_NO_OPERATION = {f"{API}{name}" for name in ("openapi-json", "api-root", "nothing-here")}
_WRITES = re.compile(r'(?:WITH .*)?(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"', re.DOTALL)


def every_address() -> dict[str, list[str]]:
    """What each address is called, with the names of what is named in it."""
    found = _addresses_of(get_resolver().url_patterns, "")
    return {name: named for name, named in found.items() if name not in OF_NO_OPERATION}


def _addresses_of(patterns: Iterable[URLPattern | URLResolver], space: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in patterns:
        if isinstance(one, URLResolver):
            found |= _addresses_of(one.url_patterns, f"{one.namespace}:" if one.namespace else space)
        else:
            found[f"{space}{one.name}"] = list(one.pattern.converters)
    return found


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of a request: the tables that were written to, and the refusals that the trail has of it since."""

    status: int
    written: frozenset[str]
    refusals: list[AuditEvent]


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Somebody with a session and a token; None asks for all without either. Nothing of what is asked for remains."""

    user: User | None
    cookie: str = ""
    secret: str = ""

    @classmethod
    def of(cls, user: User) -> "Asker":
        """Signed in, with a token that passes on all rights."""
        client = Client()
        client.force_login(user)
        return cls(user=user, cookie=f"sessionid={client.cookies['sessionid'].value}", secret=secret_of(user))

    def ask(self, method: str, name: str, named: dict[str, Any], sent: Mapping[str, Any]) -> Answer:
        """The answer of an address; ``sent`` is the form, or the API's document."""
        is_api, address = name.startswith(API), reverse(name, kwargs=named)
        client = Client(raise_request_exception=False, headers=self._headers(is_api))
        content: dict[str, Any] = {}
        if method == "POST" and is_api:
            content = {"data": json.dumps(sent), "content_type": "application/json"}
        elif method == "POST":
            content = {"data": sent}
        with _undone(), writes() as written:
            before = set(AuditEvent.objects.values_list("pk", flat=True))
            answer = getattr(client, method.lower())(address, **content)
            refused = AuditEvent.objects.filter(action="access.refused").exclude(pk__in=before)
            return Answer(status=answer.status_code, written=frozenset(written), refusals=list(refused))

    def _headers(self, is_api: bool) -> dict[str, str]:
        if self.user is None:
            return {}
        if is_api:
            return {"Authorization": f"Bearer {self.secret}", "Idempotency-Key": "one"}
        return {"Cookie": self.cookie}


@contextmanager
def writes() -> Iterator[list[str]]:
    """The tables that are written to meanwhile."""
    found: list[str] = []

    def look(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if match := _WRITES.match(str(sql)):
            found.append(match[1])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield found


@contextmanager
def _undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
