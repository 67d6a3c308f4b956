"""Against the site itself: its sign-in and its protection of forms."""

import pytest
from django.contrib.auth.models import User

from bench.browser import Browser
from bench.errors import CannotMeasure

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser(live_server) -> Browser:
    User.objects.create_user("manager", password="correct")
    return Browser(live_server.url)


def test_page_that_needs_somebody_leads_a_stranger_elsewhere(browser):
    assert browser.get("/") == 302


def test_person_who_signed_in_sees_pages(browser):
    browser.sign_in("manager", "correct")

    assert browser.get("/") == 200


def test_wrong_password_is_said(browser):
    with pytest.raises(CannotMeasure, match="manager can't sign in: the page answered 200"):
        browser.sign_in("manager", "wrong")


def test_form_is_taken_with_the_token_of_the_session(browser):
    browser.sign_in("manager", "correct")

    assert browser.post("/logout/") == 302
    assert browser.get("/") == 302


def test_form_without_a_page_before_it_is_refused(browser):
    assert browser.post("/login/", username="manager", password="correct") == 403
