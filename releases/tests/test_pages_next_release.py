"""What the next release does first, preparing it, and the word that it takes to give the old version up."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from audit.models import AuditEvent
from releases.domain.access.roles import Role
from releases.models import Release, Service, Step
from releases.tests import factories
from releases.tests.conftest import text_of
from releases.tests.test_pages_request import GOOD

PAGE = "/services/catalog/"
PREPARE = f"{PAGE}prepare/"
REQUEST = f"{PAGE}request/"
YELLOW = {**GOOD, "tag": "yellow"}
KEPT = "blue goes from blue. A rollback then leads to green, which everyone has now."


@pytest.fixture(params=["copy", "swap"])
def promoted(service, request) -> Service:
    """Everyone has the image "green" on green since an hour ago; "blue" is kept on blue."""
    service.green_image, service.green_tag = factories.image_of("green"), "green"
    service.green_weight, service.rotation = 100, request.param
    service.promoted_at = timezone.now() - timedelta(hours=1)
    service.save()
    return service


@pytest.fixture
def operator(service) -> User:
    return factories.operator(service)


@pytest.fixture
def requester(service) -> User:
    return factories.requester(service)


def after_the_window() -> None:
    Service.objects.update(rollback_window_seconds=60)


def test_a_page_says_what_the_next_release_begins_with_and_how_long_it_takes(promoted, requester, as_user):
    page = text_of(as_user(requester).get(PAGE))
    told = {"copy": "by copy: 3 applies, about 3 minutes.", "swap": "by swap: 2 applies, about 2 minutes."}
    assert f"Begins with a rotation {told[promoted.rotation]}" in page
    assert "A guess: this service has had no apply yet." in page


def test_before_a_promotion_there_is_one_apply_and_nothing_to_prepare(service, operator, as_user):
    page = text_of(as_user(operator).get(PAGE))
    assert "a rotation of the idle colour: 1 apply, about 60 seconds." in page
    assert "Prepare now" not in page


@pytest.mark.parametrize("columns", [{"green_weight": 10}, {"activate_canary": True}, {"set_up_at": None}])
def test_nothing_is_said_of_the_next_release_where_it_cannot_begin(service, operator, as_user, columns):
    Service.objects.update(**columns)
    assert as_user(operator).get(PAGE).context["next"] is None


def test_the_page_of_a_release_that_has_ended_says_it_too_and_prepares(promoted, operator, as_user):
    after_the_window()
    ended = factories.release_with_steps(
        promoted, factories.UserFactory.create(), number=1, status="promoted"
    )
    browser = as_user(operator)
    page = browser.get(f"{PAGE}releases/{ended.number}/")
    assert "Begins with a rotation by" in text_of(page)
    assert PREPARE in page.content.decode()
    browser.post(PREPARE)
    assert "Begins with" not in text_of(browser.get(f"{PAGE}releases/{ended.number}/"))


def test_the_page_of_an_open_release_says_nothing_of_the_one_after_it(scene, as_user):
    page = as_user(scene.operator).get(f"{PAGE}releases/{scene.release.number}/")
    assert page.context["next"] is None


def test_who_requests_a_release_reads_how_it_begins(promoted, requester, aws, as_user):
    told = {"copy": "by copy: 3 applies, about 3 minutes.", "swap": "by swap: 2 applies, about 2 minutes."}
    page = text_of(as_user(requester).get(REQUEST))
    assert f"Begins with a rotation {told[promoted.rotation]}" in page
    assert "Prepare now" not in page


def test_while_a_release_is_open_its_page_says_what_happens_next(scene, as_user):
    assert as_user(scene.operator).get(PAGE).context["next"] is None


def test_an_operator_prepares_after_the_window_by_one_press(promoted, operator, as_user):
    after_the_window()
    browser = as_user(operator)
    assert "is kept on" not in text_of(browser.get(PAGE))
    page = text_of(browser.post(PREPARE, follow=True))
    assert "The next release is being prepared" in page
    parts = {"copy": ["rotate_stable", "rotate_traffic"], "swap": ["rotate_swap"]}
    steps = Step.objects.filter(release=None).order_by("position")
    assert [step.transition for step in steps] == parts[promoted.rotation]
    assert {step.requested_by for step in steps} == {operator}


def test_within_the_window_the_form_says_what_is_lost_and_asks_for_a_word(promoted, operator, as_user):
    page = text_of(as_user(operator).get(PAGE))
    assert "blue is kept on blue, to go back to" in page
    assert KEPT in page
    assert "blue may go" in page


def test_within_the_window_nothing_is_prepared_without_the_word(promoted, operator, as_user):
    browser = as_user(operator)
    response = browser.post(PREPARE)
    assert response.status_code == 409
    assert "Say that it may go, or wait." in text_of(response)
    assert not Step.objects.exists()
    assert browser.post(PREPARE, {"gives_up_old_version": "on"}).status_code == 302
    assert Step.objects.exists()


def test_who_may_not_prepare_sees_why_and_is_refused(promoted, requester, as_user):
    after_the_window()
    browser = as_user(requester)
    page = text_of(browser.get(PAGE))
    assert "You may not run steps of this service: an operator does." in page
    assert browser.post(PREPARE).status_code == 403
    assert not Step.objects.exists()


def test_a_link_alone_prepares_nothing(promoted, operator, as_user):
    after_the_window()
    assert as_user(operator).get(PREPARE).status_code == 405
    assert not Step.objects.exists()


def test_a_second_press_is_told_that_it_goes_on_already(promoted, operator, as_user):
    after_the_window()
    browser = as_user(operator)
    browser.post(PREPARE)
    response = browser.post(PREPARE)
    assert response.status_code == 409
    assert "The next release is being prepared: that has to end first." in text_of(response)


def test_a_preparation_that_failed_says_what_to_do(promoted, operator, as_user):
    after_the_window()
    browser = as_user(operator)
    browser.post(PREPARE)
    Step.objects.update(status="failed", problem="AccessDenied")
    page = text_of(browser.get(PAGE))
    assert "AccessDenied" in page
    assert "Try again: plan it from what is there now" in page
    step = Step.objects.order_by("position")[0]
    page = text_of(browser.post(f"{PAGE}changes/{step.pk}/cancel/", follow=True))
    assert "Called off." in page
    assert {step.status for step in Step.objects.all()} == {"abandoned"}
    assert browser.get(PAGE).context["next"] is not None


def test_who_does_not_operate_sees_why_a_preparation_is_not_theirs(promoted, operator, requester, as_user):
    after_the_window()
    as_user(operator).post(PREPARE)
    Step.objects.update(status="failed")
    step, browser = Step.objects.order_by("position")[0], as_user(requester)
    page = browser.get(PAGE)
    assert [page.context["change"].may_cancel.code, page.context["change"].may_retry.code] == [
        "person:no-permission"
    ] * 2
    for act in ("cancel", "retry"):
        assert browser.post(f"{PAGE}changes/{step.pk}/{act}/").status_code == 403


def test_the_list_says_that_a_service_is_being_prepared(promoted, operator, as_user):
    after_the_window()
    browser = as_user(operator)
    browser.post(PREPARE)
    assert [row.status.word for row in browser.get("/").context["rows"]] == ["Being prepared"]


def test_while_it_is_prepared_a_release_waits_and_the_button_works(promoted, operator, as_user):
    after_the_window()
    browser = as_user(operator)
    page = browser.post(PREPARE, follow=True)
    assert page.context["may_request"].reason
    assert page.context["may_roll_back"]


def test_a_release_that_overwrites_the_old_version_asks_for_the_word(promoted, requester, aws, as_user):
    browser = as_user(requester)
    page = text_of(browser.get(REQUEST))
    assert KEPT in page
    response = browser.post(REQUEST, YELLOW)
    assert response.status_code == 422
    assert "blue is kept on blue until" in text_of(response)
    assert not Release.objects.exists()
    assert browser.post(REQUEST, {**YELLOW, "gives_up_old_version": "on"}).status_code == 302
    assert AuditEvent.objects.get(action="release.requested").after["gives_up_old_version"]


def test_after_the_window_a_release_is_requested_without_another_word(promoted, requester, aws, as_user):
    after_the_window()
    browser = as_user(requester)
    assert "is kept on" not in text_of(browser.get(REQUEST))
    assert browser.post(REQUEST, YELLOW).status_code == 302


def test_the_trail_tells_who_prepared(promoted, operator, as_user):
    as_user(operator).post(PREPARE, {"gives_up_old_version": "on"})
    factories.give(operator, Service.objects.get(), Role.AUDITOR)
    assert "began to prepare the next release" in text_of(as_user(operator).get("/audit/"))
