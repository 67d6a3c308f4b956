"""Releasing a version of the history again."""

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from releases.models import Release, Service
from releases.services import states
from releases.tests import factories
from releases.tests.conftest import text_of

PAGE = "/services/catalog/"
AGAIN = f"{PAGE}releases/1/again/"
SET_UP = f"{PAGE}releases/0/again/"


@pytest.fixture
def history(service) -> Service:
    """R-1 brought "green" and R-2 "yellow", which everyone has on green; "green" is still on blue."""
    service.steps.create(
        transition="set_up", candidate_share=0, status="done", state_after=states.to_json(service.state)
    )
    factories.ReleaseFactory.create(service=service, number=1, tag="green", status="promoted")
    factories.ReleaseFactory.create(
        service=service, number=2, tag="yellow", from_tag="green", status="promoted"
    )
    service.blue_image, service.blue_tag = factories.image_of("green"), "green"
    service.green_image, service.green_tag = factories.image_of("yellow"), "yellow"
    service.green_weight, service.promoted_at = 100, timezone.now()
    service.save()
    return service


@pytest.fixture
def requester(service) -> User:
    return factories.requester(service)


@pytest.fixture
def browser(history, requester, aws, as_user, monkeypatch):
    """AWS has every image by digest that it has by tag."""
    by_digest = {factories.image_of(tag): tag for tag in ("blue", "green", "yellow")}
    by_tag = aws.resolve_image
    monkeypatch.setattr(
        "aws.images.resolve_image",
        lambda access, wanted: by_tag(access, f"{factories.REPOSITORY}:{by_digest[wanted]}"),
    )
    return as_user(requester)


def test_the_history_leads_to_each_version_that_users_do_not_have(browser):
    page = text_of(browser.get(PAGE))
    assert f'href="{AGAIN}"' in page
    assert f'href="{PAGE}releases/2/again/"' not in page
    assert "what users have" in page
    assert f'Set up with <span class="version">blue</span>. <a id="again-0" href="{SET_UP}"' in page


def test_who_may_not_request_sees_no_such_link_and_is_refused(history, aws, as_user):
    browser = as_user(factories.operator(history))
    assert "again/" not in text_of(browser.get(PAGE))
    assert browser.get(AGAIN).status_code == 403
    assert browser.post(AGAIN).status_code == 403
    assert Release.objects.count() == 2


def test_an_ended_release_leads_to_its_version_too(browser):
    factories.StepFactory.create(release=Release.objects.get(number=1), status="done")
    assert f'id="again" href="{AGAIN}"' in text_of(browser.get(f"{PAGE}releases/1/"))


def test_the_page_says_what_it_does_before_it_is_asked_for(browser):
    page = text_of(browser.get(AGAIN))
    assert "All users have <strong>yellow</strong> now" in page
    assert "This brings <strong>green</strong> to everyone at once" in page
    assert "The colours swap roles: nobody is moved" in page
    assert "is kept on" not in page


def test_one_press_requests_it(browser):
    response = browser.post(AGAIN, {"reason": "yellow is slow"})
    release = Release.objects.get(number=3)
    assert response.url == f"{PAGE}releases/3/"
    assert (release.tag, release.from_tag, release.reason) == ("green", "yellow", "yellow is slow")
    assert [step.transition for step in release.steps.order_by("position")] == ["rotate_swap", "promote"]


def test_a_version_of_the_set_up_takes_a_word_where_it_overwrites_the_old_one(browser):
    page = text_of(browser.get(SET_UP))
    assert "green is kept on blue, to go back to" in page
    assert browser.post(SET_UP).status_code == 422
    assert browser.post(SET_UP, {"gives_up_old_version": "on"}).status_code == 302
    assert Release.objects.get(number=3).tag == "blue"


def test_an_image_that_is_gone_is_said_so_on_the_page_and_by_the_answer(browser, aws):
    aws.tags = ["yellow", "blue"]
    gone = "The image of green is no longer in the repository: push it again, or release another version."
    assert gone in text_of(browser.get(AGAIN))
    response = browser.post(AGAIN)
    assert response.status_code == 422
    assert gone in text_of(response)
    assert Release.objects.count() == 2


def test_an_aws_that_does_not_answer_is_said_so(browser, aws):
    aws.is_down = True
    assert "AWS did not answer. Try again." in text_of(browser.get(AGAIN))


def test_what_everyone_has_is_not_offered(browser):
    page = text_of(browser.get(f"{PAGE}releases/2/again/"))
    assert "All users of catalog have this version already." in page
    assert "disabled" in page


def test_while_a_release_is_open_it_is_said_why_not(browser, history):
    factories.ReleaseFactory.create(service=history, number=3)
    factories.StepFactory.create(release=Release.objects.get(number=3))
    page = text_of(browser.get(AGAIN))
    assert "A release is open: it has to end first." in page
    assert browser.post(AGAIN).status_code == 422


def test_an_unknown_version_is_not_found(browser):
    assert browser.get(f"{PAGE}releases/9/again/").status_code == 404
    Service.objects.get().steps.all().delete()
    assert browser.get(SET_UP).status_code == 404
