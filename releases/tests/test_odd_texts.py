"""Texts that no form sends, in every field and every query that an address reads: nothing breaks (FAULTS P9, P10, P12).

What an address reads is seen while it is asked for, so that a new field is among them without a row.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from releases.domain.access.decisions import Permission
from releases.domain.access.roles import Role
from releases.permissions import grant, grant_set_up
from releases.services.access.roles import EVERYWHERE, record_given
from releases.tests import factories
from releases.tests.api import call, secret_of
from releases.tests.every_address import API
from releases.tests.test_pages_access import ASKED_FOR
from releases.tests.world import World, make_world

NUL = "a\x00b"
ODD = [
    "9" * 5_000,
    "٣",
    "-1",
    "x" * 20_000,
    "<script>alert(1)</script>",
    "\u202etxt\u200b\x1b[31m",
    "a\r\nSet-Cookie: b=c",
    "=cmd|' /C calc'!A0",
]
# In each, every field has another one of them.
TURNS = 3


@pytest.fixture
def client(scene) -> Client:
    """Somebody whom nothing is refused for lack of a right."""
    user: User = factories.person("everything", scene.service, *Permission)
    record_given(Role.ADMIN, user, EVERYWHERE, actor=factories.TESTS)
    grant(user, scene.service, *Permission)
    grant_set_up(user)
    browser = Client(raise_request_exception=False)
    browser.force_login(user)
    return browser


@pytest.fixture
def world(aws, scene) -> World:
    return make_world(scene)


def address_of(world: World, name: str) -> str:
    return reverse(name, kwargs=world.names(name))


@contextmanager
def names_read() -> Iterator[set[str]]:
    """The names that anybody looks for in a form or a query."""
    read: set[str] = set()
    with pytest.MonkeyPatch.context() as patch:
        for method in ("__getitem__", "__contains__", "getlist"):
            original = getattr(QueryDict, method)

            def noting(self, key, *rest, original=original, **more):
                read.add(str(key))
                return original(self, key, *rest, **more)

            patch.setattr(QueryDict, method, noting)
        yield read


def status(client: Client, method: str, address: str, fields: dict[str, str]) -> int:
    """What it answers; whatever it has done is undone."""
    with transaction.atomic():
        answer = getattr(client, method)(address, fields)
        # A file is made while it is sent.
        b"".join(answer.streaming_content) if answer.streaming and not answer.is_async else None
        transaction.set_rollback(True)
    return int(answer.status_code)


# The streams and the API read neither forms nor, but for a number of lines, queries.
OTHERS = {"logout", "list-events", "service-events", "run-events"}
ASKED = sorted(
    (name, method.lower()) for method, name in ASKED_FOR if name not in OTHERS and not name.startswith(API)
)


@pytest.mark.parametrize(("name", "method"), ASKED, ids=[" ".join(one) for one in ASKED])
def test_no_address_breaks_by_what_is_sent_to_it(world, client, name, method):
    address, usual = address_of(world, name), world.sent(name) if method == "post" else {}
    with names_read() as read:
        assert status(client, method, address, usual) < 500
    for turn in range(TURNS):
        odd = {field: ODD[(number + turn) % len(ODD)] for number, field in enumerate(sorted(read))}
        assert status(client, method, address, usual | odd) < 500, odd
    assert not read or status(client, method, address, usual | dict.fromkeys(read, NUL)) == 400


@pytest.mark.parametrize("text", ODD)
def test_who_signs_in_by_an_odd_name_is_only_told_that_it_does_not_match(db, text):
    browser = Client(raise_request_exception=False)
    assert browser.post("/login/", {"username": text, "password": text}).status_code == 200


@pytest.mark.parametrize("number", [0, 2**31, 2**63, 10**30])
def test_a_number_that_is_none_of_ours_leads_nowhere(world, client, number):
    addresses = {name: address_of(world, name) for name, _ in ASKED}
    numbered = {
        (name, method): re.sub(r"/\d+(?=/|$)", f"/{number}", addresses[name])
        for name, method in ASKED
        if re.search(r"/\d+(/|$)", addresses[name])
    }
    assert len(numbered) > 10
    answers = {one: status(client, one[1], address, world.sent(one[0])) for one, address in numbered.items()}
    assert {one for one, code in answers.items() if code != 404} == set()


BODIES = [
    ("releases", {"tag": "green"}, ["tag", "digest", "reason", "ticket"]),
    ("releases", {"tag": "green", "weights": [50]}, ["weights", "gates", "automatic", "canary_addresses"]),
    ("rollback", {}, ["reason"]),
    ("releases/{number}/cancel", {}, ["reason"]),
    ("releases/{number}/steps/{step}/approve", {"plan_sha256": "0" * 64}, ["changes_digest", "comment"]),
    ("releases/{number}/steps/{step}/reject", {"plan_sha256": "0" * 64}, ["changes_digest", "comment"]),
]
WORDS = ["a\x00b", "x" * 20_000, "\ud800", "", -1, 10**400, 1e300, None, True, [], {}, [[[]]], {"a": {}}]


@pytest.mark.parametrize(("path", "body", "fields"), BODIES, ids=[f"{one[0]} {one[2][0]}" for one in BODIES])
def test_no_operation_breaks_by_what_is_in_its_body(aws, scene, path, body, fields):
    grant(scene.manager, scene.service, *Permission)
    secret = secret_of(scene.manager)
    address = f"/services/catalog/{path.format(number=scene.release.number, step=scene.canary.pk)}"
    for number, (field, value) in enumerate((field, value) for field in fields for value in WORDS):
        for sent_value in (value, [value], {"a": value}):
            with transaction.atomic():
                key = {"Idempotency-Key": f"{number}"}
                answer = call(secret, "POST", address, body | {field: sent_value}, **key)
                transaction.set_rollback(True)
            assert answer.status_code < 500, (field, value)
