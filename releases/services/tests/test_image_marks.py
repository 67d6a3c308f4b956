"""An image that was rolled back or judged bad is requested by nobody, until a manager lifts its mark."""

from typing import Any

import pytest

from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.models import ImageMark, Service
from releases.permissions import grant
from releases.services.errors import ActRefused
from releases.services.requests import RequestRefused
from releases.services.rollback import reasons
from releases.services.versions import image_marks


@pytest.fixture
def rolled_back(life):
    """A release that was rolled back; nobody has said why yet."""
    life.release = life.request()
    life.go_to(10)
    life.roll_back()
    life.world.work()
    return life


def say_why(life, reason: str) -> None:
    reasons.give_reason(life.service.rollbacks.get().pk, user=life.operator, reason=reason)


def refused(act, **given) -> str:
    with pytest.raises(ActRefused) as refusal:
        act(**given)
    return refusal.value.code


def test_one_that_was_rolled_back_is_marked_with_the_reason_and_not_requested_again(rolled_back):
    say_why(rolled_back, "Errors: 5xx")
    assert ImageMark.objects.get().reason == "Rolled back: Errors: 5xx"
    assert AuditEvent.objects.get(action="image.marked").reason == "Rolled back: Errors: 5xx"
    with pytest.raises(RequestRefused, match="Rolled back: Errors: 5xx") as refusal:
        rolled_back.request()
    assert refusal.value.code == "request:marked"
    rolled_back.request(tag="v3")


@pytest.mark.parametrize("reason", ["Pressed by mistake", "An exercise: Friday"])
def test_a_mistake_and_an_exercise_say_nothing_of_the_image(rolled_back, reason):
    say_why(rolled_back, reason)
    rolled_back.request()
    assert not ImageMark.objects.exists()


def test_it_counts_for_every_service_and_every_place_it_is_kept_in(rolled_back):
    say_why(rolled_back, "Too slow")
    digest = rolled_back.release.digest
    assert image_marks.mark_of(f"999.dkr.ecr.example/other@{digest}") == ImageMark.objects.get()
    assert image_marks.mark_of("999.dkr.ecr.example/other@sha256:" + "0" * 64) is None


def test_a_manager_of_the_service_where_it_was_marked_lifts_it_with_a_reason(rolled_back, person):
    say_why(rolled_back, "Errors")
    given: dict[str, Any] = {"release_id": rolled_back.release.pk, "reason": "it was the database"}
    assert refused(image_marks.lift, **given, user=rolled_back.manager) == "person:no-permission"
    kim = person("kim", Permission.MANAGE)
    assert refused(image_marks.lift, **{**given, "reason": " "}, user=kim) == "image:no-reason"
    image_marks.lift(**given, user=kim)
    event = AuditEvent.objects.get(action="image.mark-lifted")
    assert (event.actor_name, event.reason) == ("kim", "it was the database")
    rolled_back.request()
    assert refused(image_marks.lift, **given, user=kim) == "image:not-marked"


def test_managing_another_service_lifts_nothing(rolled_back, person):
    say_why(rolled_back, "Errors")
    other = Service.objects.create(name="other", family="other")
    lou = person("lou", Permission.VIEW)
    grant(lou, other, Permission.MANAGE)
    given: dict[str, Any] = {"release_id": rolled_back.release.pk, "reason": "mine is fine"}
    assert refused(image_marks.lift, **given, user=lou) == "person:no-permission"


def test_any_image_is_judged_bad_by_who_may_roll_back(life):
    release = life.request()
    given: dict[str, Any] = {"release_id": release.pk, "reason": "loses orders"}
    assert refused(image_marks.judge, **given, user=life.requester) == "person:no-permission"
    image_marks.judge(**given, user=life.operator)
    image_marks.judge(**given, user=life.operator)
    assert ImageMark.objects.get().reason == "loses orders"
