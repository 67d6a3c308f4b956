"""Waiting for a release over HTTP, under the real server: pushed, not asked for again and again."""

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
from django.contrib.auth.models import User
from django.db import connection
from guardian.shortcuts import remove_perm

from audit.events import Actor
from infra.local.tests.waiting import wait_for
from releases.api import waiting
from releases.live.broadcaster import broadcaster
from releases.models import Service, Token
from releases.services.access import tokens
from releases.services.approval import approvals
from releases.tests.api import ADDRESS, secret_of
from tests.serving import serving

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("aws")]
LONG = 30


class Waiting(threading.Thread):
    """A request that waits; ``text`` and ``seconds`` are there when it is over."""

    def __init__(self, url: str, secret: str) -> None:
        super().__init__()
        self._request = urllib.request.Request(url, headers={"Authorization": f"Bearer {secret}"})
        self.text, self.seconds = "", 0.0

    def run(self) -> None:
        begun = time.monotonic()
        with urllib.request.urlopen(self._request, timeout=60) as response:
            self.text = response.read().decode()
        self.seconds = time.monotonic() - begun

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.text)
        return document


@pytest.fixture
def path(scene) -> str:
    return f"{ADDRESS}/services/catalog/releases/{scene.release.number}"


@pytest.fixture
def site() -> Iterator[str]:
    with serving() as address:
        yield address


@contextmanager
def waiting_for(url: str, secret: str) -> Iterator[Waiting]:
    """A request that has begun to wait, on a listener that listens; in the end it is over."""
    thread = Waiting(url, secret)
    thread.start()
    wait_for(lambda: broadcaster.listening and broadcaster._subscriptions, "a request that waits")
    yield thread
    thread.join(60)
    assert not thread.is_alive()


def test_it_is_answered_as_soon_as_the_release_goes_on(site, scene, path):
    secret = secret_of(scene.requester)
    with waiting_for(f"{site}{path}?wait_seconds={LONG}", secret) as request:
        time.sleep(0.3)
        assert request.is_alive()
        approvals.start(step_id=scene.canary.pk, user=scene.operator)
    assert request.seconds < LONG
    canary = next(step for step in request.document["steps"] if step["transition"] == "canary")
    assert canary["started"]


def test_what_happened_since_one_looked_is_no_wait(site, scene, path):
    secret = secret_of(scene.requester)
    with urllib.request.urlopen(
        urllib.request.Request(site + path, headers={"Authorization": f"Bearer {secret}"})
    ) as response:
        known = json.load(response)["version"]
    approvals.start(step_id=scene.canary.pk, user=scene.operator)
    request = Waiting(f"{site}{path}?wait_seconds={LONG}&known={known}", secret)
    request.run()
    assert request.seconds < LONG
    assert request.document["version"] != known


def test_in_the_end_it_is_answered_as_it_is(site, scene, path):
    request = Waiting(f"{site}{path}?wait_seconds=1", secret_of(scene.requester))
    request.run()
    assert request.seconds > 0.9
    assert request.document["state"] == "waiting_for_approval"


@pytest.mark.parametrize(
    "lose",
    [
        lambda user, service: tokens.revoke(Token.objects.get(), actor=Actor(id="", name="x", via="page")),
        lambda user, service: User.objects.filter(pk=user.pk).update(is_active=False),
        lambda user, service: remove_perm("view_service", user, service),
    ],
    ids=["revoked", "deactivated", "right taken away"],
)
def test_who_may_not_see_it_any_more_is_answered_nothing(
    site, scene, path, lose: Callable[[User, Service], None]
):
    with waiting_for(f"{site}{path}?wait_seconds={LONG}", secret_of(scene.requester)) as request:
        lose(scene.requester, scene.service)
        approvals.start(step_id=scene.canary.pk, user=scene.operator)
    assert request.text == ""


def test_many_that_wait_hold_no_connection_and_ask_nothing(site, scene, path, monkeypatch):
    secret, asked = secret_of(scene.requester), []
    look = waiting._now

    def counted(*given):
        asked.append(1)
        return look(*given)

    monkeypatch.setattr(waiting, "_now", counted)
    pool = cast(Any, connection).pool

    def used() -> int:
        stats = pool.get_stats()
        return stats["pool_size"] - stats["pool_available"]

    before = used()
    requests = [Waiting(f"{site}{path}?wait_seconds={LONG}", secret) for _ in range(20)]
    for request in requests:
        request.start()
    wait_for(lambda: len(asked) >= 20 and len(broadcaster._subscriptions) == 20, "all to wait")
    wait_for(lambda: used() <= max(before, 1), "connections")
    time.sleep(3)
    approvals.start(step_id=scene.canary.pk, user=scene.operator)
    for request in requests:
        request.join(60)
    assert [request.document["state"] for request in requests] == ["waiting_for_approval"] * 20
    # Once when it begins to wait, once when the listener listens, once when it goes on: not once a second.
    assert len(asked) <= 3 * 20
