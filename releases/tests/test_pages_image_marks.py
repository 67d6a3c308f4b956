"""An image's mark on the page of its release: set, seen, lifted."""

import re

import pytest

from releases.domain.access.decisions import Permission
from releases.models import ImageMark
from releases.permissions import grant
from releases.tests.conftest import text_of


@pytest.fixture
def address(scene) -> str:
    return f"/services/catalog/releases/{scene.release.number}/"


def test_it_is_marked_seen_and_lifted_there(scene, as_user, address):
    type(scene.release).objects.update(status="rolled_back")
    browser = as_user(scene.operator)
    assert b'id="mark-image"' in browser.get(address).content
    page = text_of(browser.post(f"{address}mark-image/", {"reason": "<loses> orders"}, follow=True))
    assert "This image is marked as bad by operator" in page
    assert "“&lt;loses&gt; orders”" in page
    assert 'id="lift-mark"' not in page
    grant(scene.manager, scene.service, Permission.MANAGE)
    manager = as_user(scene.manager)
    assert b'id="lift-mark"' in manager.get(address).content
    page = text_of(manager.post(f"{address}lift-mark/", {"reason": "it was the database"}, follow=True))
    assert "Lifted: this image can be requested again." in page
    assert ImageMark.objects.get().lifted_by == scene.manager


def test_who_may_not_mark_it_sees_why(scene, as_user, address):
    type(scene.release).objects.update(status="rolled_back")
    page = text_of(as_user(scene.requester).get(address))
    assert re.search(r'disabled aria-describedby="why-mark">Mark its image as bad</button>', page)
    assert "You may not roll this service back." in page
