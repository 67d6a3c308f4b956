"""FAULTS A9: a tag that is moved to another image after the request."""

from dataclasses import replace

import pytest

from audit.models import AuditEvent
from aws import images
from aws.errors import AwsError
from releases.services.tests.conftest import image

OTHER = "sha256:" + "0" * 64


@pytest.fixture
def tag(monkeypatch):
    """Lets the tags lead to this digest from now on; "" to what they were."""

    def leads_to(digest: str) -> None:
        def resolve(access, wanted):
            return replace(image(access, wanted), digest=digest) if digest else image(access, wanted)

        monkeypatch.setattr(images, "resolve_image", resolve)

    return leads_to


def events() -> list[str]:
    moved = AuditEvent.objects.filter(action="release.tag-moved").order_by("pk")
    return [event.after["tag_moved_to"] for event in moved]


def test_the_release_brings_the_image_of_its_request_and_the_move_is_noted_once(life, tag):
    release = life.request()
    own = release.image
    tag(OTHER)
    life.go_to(50)
    release.refresh_from_db()
    assert (release.image, release.tag_moved_to) == (own, OTHER)
    assert life.now().version_of(life.now().candidate).image == own
    assert events() == [OTHER]


def test_that_it_was_moved_back_is_noted_too(life, tag):
    life.request()
    tag(OTHER)
    life.go_on()
    tag("")
    life.go_on()
    assert events() == [OTHER, ""]


def test_a_repository_that_does_not_answer_is_no_obstacle(life, monkeypatch):
    def silent(*_: object) -> None:
        raise AwsError("aws:unreachable", "AWS did not answer.")

    release = life.request()
    monkeypatch.setattr(images, "resolve_image", silent)
    life.go_to(50)
    release.refresh_from_db()
    assert (release.tag_moved_to, events()) == ("", [])
