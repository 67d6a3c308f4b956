"""Signing in and out, and the pages for what went wrong."""

from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.test import Client

from audit.models import AuditEvent
from releases.tests import factories
from releases.tests.conftest import text_of
from releases.views.shown.words import age_in_words


@pytest.fixture
def person(db):
    return factories.UserFactory.create(username="rosa")


def sign_in(client: Client, password: str, address: str = "/login/"):
    return client.post(address, {"username": "rosa", "password": password, "next": "/inbox/"})


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


def test_the_page_for_a_broken_server_needs_nothing_but_its_file():
    page = render_to_string("500.html")
    assert "Something broke" in page
    assert "Go to the services" in page


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
