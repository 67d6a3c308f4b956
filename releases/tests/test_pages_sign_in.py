"""Signing in and out, and the pages for what went wrong."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
import time_machine
from axes.models import AccessAttempt
from django.template.loader import render_to_string
from django.test import Client

from audit.models import AuditEvent
from releases.tests import factories
from releases.tests.conftest import text_of
from releases.views.shown.words import age_in_words


@pytest.fixture
def person(db):
    return factories.UserFactory.create(username="rosa")


def sign_in(client: Client, password: str, headers: dict[str, str] | None = None):
    sent = {"username": "rosa", "password": password, "next": "/inbox/"}
    return client.post("/login/", sent, headers=headers)


def test_signing_in_leads_to_where_one_wanted_to_go(client, person):
    assert sign_in(client, factories.PASSWORD).url == "/inbox/"


def test_a_wrong_password_is_said_without_saying_which_part_is_wrong_and_keeps_the_name(client, person):
    response = sign_in(client, "wrong")
    page = text_of(response)
    assert "These do not match an account that may sign in." in page
    assert 'value="rosa"' in page
    assert "wrong" not in page.replace("Sign in", "")


def test_a_deactivated_account_may_not_sign_in(client, person):
    person.is_active = False
    person.save()
    assert "These do not match an account" in text_of(sign_in(client, factories.PASSWORD))


def test_signing_in_never_leads_to_another_site(client, person):
    sent = {"username": "rosa", "password": factories.PASSWORD, "next": "https://example.com/"}
    assert client.post("/login/", sent).url == "/"


def test_signing_out_ends_the_session(client, person):
    client.force_login(person)
    client.post("/logout/")
    assert client.get("/").url == "/login/?next=/"


def test_each_sign_in_each_try_that_fails_and_each_sign_out_is_an_event(client, person):
    sign_in(client, "wrong")
    sign_in(client, factories.PASSWORD)
    client.post("/logout/")
    client.post("/logout/")

    told = AuditEvent.objects.order_by("id").values_list(
        "action", "actor_id", "actor_name", "context__address"
    )
    assert list(told) == [
        ("person.sign-in-failed", "", "rosa", "127.0.0.1"),
        ("person.signed-in", str(person.pk), "rosa", "127.0.0.1"),
        ("person.signed-out", str(person.pk), "rosa", "127.0.0.1"),
    ]
    assert "wrong" not in str(list(AuditEvent.objects.values()))


def test_an_address_that_leads_nowhere_has_a_next_step_for_anybody(client, person):
    response = client.get("/no/such/page/")
    assert response.status_code == 404
    assert "Go to the services" in text_of(response)


def test_the_page_for_a_broken_server_needs_nothing_but_files():
    page = render_to_string("500.html")
    assert "Something broke" in page
    assert "← Services" in page


def test_what_could_not_be_read_has_a_next_step_for_anybody(client, person):
    response = client.get("/login/?next=%00")
    assert response.status_code == 400
    assert "Go back, write it in other words" in text_of(response)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (7_300, "2 h ago"),
        (200_000, "2 d ago"),
        (-90, "in 1 min"),
    ],
)
def test_an_age_is_said_in_its_greatest_unit(seconds, words):
    assert age_in_words(timedelta(seconds=seconds)) == words


def guess(client: Client, times: int):
    return [sign_in(client, "wrong") for _ in range(times)][-1]


@pytest.fixture
def locked(client, person, settings):
    settings.AXES_FAILURE_LIMIT = 3
    return guess(client, 3)


def test_after_too_many_tries_not_even_the_right_password_counts_and_the_page_says_for_how_long(
    client, locked
):
    for answer in (locked, sign_in(client, factories.PASSWORD)):
        assert (answer.status_code, answer["Retry-After"]) == (429, "900")
        assert "Sign in again in 15 min." in text_of(answer)
    assert client.get("/").status_code == 302


def test_tries_count_again_when_the_pause_is_over_however_often_was_tried_meanwhile(client, locked):
    guess(client, 2)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16), tick=False):
        assert sign_in(client, factories.PASSWORD).url == "/inbox/"


def test_a_try_that_succeeds_lets_the_count_begin_again(client, person, settings):
    settings.AXES_FAILURE_LIMIT = 3
    for _ in range(2):
        guess(client, 2)
        assert sign_in(client, factories.PASSWORD).url == "/inbox/"
        client.logout()


def test_a_forged_header_gives_nobody_more_tries_and_locks_nobody_else_out(client, person, settings):
    settings.AXES_FAILURE_LIMIT = 3
    for number in range(3):
        forged = {"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": "198.51.100.1"}
        answer = sign_in(client, "wrong", forged)
    assert answer.status_code == 429
    assert sign_in(Client(REMOTE_ADDR="203.0.113.1"), factories.PASSWORD).url == "/inbox/"


def test_other_names_from_there_and_this_name_from_elsewhere_may_try(client, locked):
    factories.UserFactory.create(username="ivo")
    sent = {"username": "ivo", "password": factories.PASSWORD}
    assert client.post("/login/", sent).status_code == 302
    assert sign_in(Client(REMOTE_ADDR="192.0.2.77"), factories.PASSWORD).url == "/inbox/"


def test_who_is_signed_in_goes_on_and_reaches_the_emergency_button(client, scene, as_user, settings):
    settings.AXES_FAILURE_LIMIT = 3
    scene.operator.username = "rosa"
    scene.operator.save()
    signed_in = as_user(scene.operator)
    assert guess(client, 3).status_code == 429
    page = signed_in.get("/services/catalog/rollback/")
    assert (page.status_code, "Send all" in text_of(page)) == (200, True)


def test_the_tries_that_counted_and_the_beginning_of_the_pause_are_events_and_no_password_is_kept(
    client, locked
):
    guess(client, 2)
    told = AuditEvent.objects.order_by("id").values_list("action", flat=True)
    assert list(told) == ["person.sign-in-failed"] * 3 + ["person.locked-out"]
    assert "wrong" not in str(list(AccessAttempt.objects.values()))


OFFICE, HOME = "192.0.2.1", "192.0.2.2"
ELSEWHERE = [f"203.0.113.{number}" for number in range(3)]


def sign_in_as(name: str, address: str, client: Client | None = None, password: str = factories.PASSWORD):
    sent = {"username": name, "password": password}
    return (client or Client()).post("/login/", sent, REMOTE_ADDR=address)


def guess_each(names: Iterable[str], addresses: Iterable[str]) -> None:
    for name, address in product(names, addresses):
        sign_in_as(name, address, password="wrong")


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def test_one_password_tried_for_many_names_is_stopped_at_its_address_and_nowhere_else(person, settings):
    settings.SIGN_IN_TRIES_BY_ADDRESS = 3
    guess_each(["ada", "bob", "cleo", "dora"], [OFFICE])
    answer = sign_in_as("rosa", OFFICE)
    assert (answer.status_code, answer["Retry-After"]) == (429, "900")
    assert "Too many tries for this name, or from where you are." in text_of(answer)
    assert actions() == ["person.sign-in-failed"] * 3 + ["person.locked-out"]
    assert sign_in_as("rosa", HOME).status_code == 302


def test_one_name_tried_from_many_addresses_is_stopped_for_the_pause_and_no_other_name(person, settings):
    settings.SIGN_IN_TRIES_BY_NAME = 3
    factories.UserFactory.create(username="ivo")
    guess_each(["rosa"], ELSEWHERE)
    assert sign_in_as("rosa", HOME).status_code == 429
    assert actions() == ["person.sign-in-failed"] * 3 + ["person.locked-out"]
    assert sign_in_as("ivo", ELSEWHERE[0]).status_code == 302
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16), tick=False):
        assert sign_in_as("rosa", HOME).status_code == 302


@pytest.mark.parametrize("limit", ["SIGN_IN_TRIES_BY_NAME", "SIGN_IN_TRIES_BY_ADDRESS"])
def test_whoever_guesses_keeps_nobody_out_of_a_browser_that_was_theirs_before(person, settings, limit):
    """It has the tries of one name from one address, and no more."""
    hers = Client()
    sign_in_as("rosa", OFFICE, hers)
    hers.post("/logout/")
    setattr(settings, limit, 3)
    guess_each(["rosa"], ELSEWHERE)
    guess_each(["ada", "bob", "cleo"], [OFFICE])
    assert sign_in_as("rosa", OFFICE).status_code == 429
    assert sign_in_as("rosa", OFFICE, hers).status_code == 302
    hers.post("/logout/")
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in_as("rosa", OFFICE, hers, "wrong")
    assert sign_in_as("rosa", OFFICE, hers).status_code == 429


@pytest.mark.parametrize("whose", ["another's", "forged", "too old"])
def test_no_other_cookie_opens_what_is_closed(person, settings, whose):
    settings.SIGN_IN_TRIES_BY_NAME = 3
    factories.UserFactory.create(username="ivo")
    browser = Client()
    days_ago = timedelta(days=91 if whose == "too old" else 0)
    with time_machine.travel(datetime.now(UTC) - days_ago, tick=False):
        sign_in_as("ivo" if whose == "another's" else "rosa", HOME, browser)
    cookie = browser.cookies["bluegreen_known"].value
    browser = Client()
    browser.cookies["bluegreen_known"] = f"{cookie}x" if whose == "forged" else cookie
    guess_each(["rosa"], ELSEWHERE)
    assert sign_in_as("rosa", HOME, browser).status_code == 429


def test_a_sign_in_of_one_s_own_in_between_gives_nobody_more_tries_for_others(person, settings):
    settings.SIGN_IN_TRIES_BY_ADDRESS = 3
    guess_each(["ada", "bob"], [OFFICE])
    assert sign_in_as("rosa", OFFICE).status_code == 302
    guess_each(["cleo"], [OFFICE])
    assert sign_in_as("rosa", OFFICE).status_code == 429


def test_one_person_alone_locks_no_office_out_however_often_they_try(person, settings):
    factories.UserFactory.create(username="ivo")
    for _ in range(settings.SIGN_IN_TRIES_BY_ADDRESS + 1):
        sign_in_as("rosa", OFFICE, password="wrong")
    assert sign_in_as("rosa", OFFICE).status_code == 429
    assert sign_in_as("ivo", OFFICE).status_code == 302


def test_who_is_signed_in_reaches_the_emergency_button_while_their_address_is_stopped(
    scene, as_user, settings
):
    settings.SIGN_IN_TRIES_BY_ADDRESS = 3
    signed_in = as_user(scene.operator)
    guess_each(["ada", "bob", "cleo"], ["127.0.0.1"])
    assert sign_in_as(scene.manager.username, "127.0.0.1").status_code == 429
    page = signed_in.get("/services/catalog/rollback/")
    assert (page.status_code, "Send all" in text_of(page)) == (200, True)
