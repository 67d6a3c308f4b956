"""Changing one's own password."""

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.test import Client

from audit.models import AuditEvent
from releases.services.access import people
from releases.tests import factories
from releases.tests.conftest import text_of

pytestmark = pytest.mark.django_db
OLD, NEW = factories.PASSWORD, "horse 7 battery"


@pytest.fixture
def rosa() -> User:
    return factories.UserFactory.create(username="rosa", email="rosa.rossi@example.com")


@pytest.fixture
def client(rosa, as_user) -> Client:
    return as_user(rosa)


def change(client: Client, old: str = OLD, new: str = NEW, again: str = NEW):
    typed = {"old_password": old, "new_password1": new, "new_password2": again}
    return client.post("/password/", typed)


def told() -> list[tuple[str, str]]:
    events = AuditEvent.objects.filter(action__startswith="person.").order_by("pk")
    return list(events.values_list("actor_name", "action"))


def test_the_session_that_changes_it_goes_on_every_other_ends_and_the_new_one_signs_in(client, rosa, as_user):
    other, link = as_user(rosa), people.password_link(rosa)
    assert all('href="/password/"' in text_of(client.get(page)) for page in ("/", "/tokens/"))
    assert change(client).url == "/password/"
    assert "Your password is changed." in text_of(client.get("/password/"))
    assert other.get("/").url == "/login/?next=/"
    page = Client().get(link.removeprefix("http://localhost:8000"), follow=True)
    assert not page.context["validlink"]
    signed_in = [
        Client().post("/login/", {"username": "rosa", "password": password}).status_code
        for password in (NEW, OLD)
    ]
    assert signed_in == [302, 200]
    assert told()[0] == ("rosa", "person.password-changed")


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"old": "wrong"}, "Your old password was entered incorrectly"),
        ({"new": "short", "again": "short"}, "too short"),
        ({"new": "password1", "again": "password1"}, "too common"),
        ({"new": "rosa.rossi@example", "again": "rosa.rossi@example"}, "too similar to the email address"),
        ({"again": "horse 8 battery"}, "match"),
        ({"old": ""}, "This field is required."),
    ],
)
def test_what_will_not_do_is_said_and_the_password_stays(client, rosa, typed, why):
    answer = change(client, **typed)
    assert answer.status_code == 422
    assert why in text_of(answer)
    rosa.refresh_from_db()
    assert rosa.check_password(OLD)
    assert client.get("/").status_code == 200


def test_wrong_old_passwords_count_with_the_sign_ins_that_fail_and_are_events(client, rosa, settings):
    settings.AXES_FAILURE_LIMIT = 3
    Client().post("/login/", {"username": "rosa", "password": "wrong"})
    assert change(client, old="wrong").status_code == 422
    for old in ("wrong", OLD):
        answer = change(client, old=old)
        assert (answer.status_code, answer["Retry-After"]) == (429, "900")
        assert "Try again in 15 min" in text_of(answer)
        assert "incorrectly" not in text_of(answer)
    assert Client().post("/login/", {"username": "rosa", "password": OLD}).status_code == 429
    assert client.get("/").status_code == 200
    assert told() == [
        ("rosa", "person.sign-in-failed"),
        ("rosa", "person.password-mistaken"),
        ("rosa", "person.password-mistaken"),
        ("rosa", "person.locked-out"),
    ]


def test_no_password_is_kept_with_a_try_that_fails(client):
    change(client, old="almost right", new="a secret one", again="a secret two")
    kept = str(list(AccessAttempt.objects.values())) + str(list(AuditEvent.objects.values()))
    assert "old_password" in kept
    for secret in ("almost right", "a secret one", "a secret two"):
        assert secret not in kept


def test_one_that_was_ended_while_it_was_typed_is_not_changed(client, rosa, monkeypatch):
    change_then = people.change_password

    def too_late(user: User, password: str) -> bool:
        people.record_password_ended(User.objects.get(pk=rosa.pk), actor=factories.TESTS)
        return change_then(user, password)

    monkeypatch.setattr(people, "change_password", too_late)
    assert change(client).url == "/login/"
    rosa.refresh_from_db()
    assert not rosa.has_usable_password()
    assert ("rosa", "person.password-changed") not in told()


def test_who_signs_in_without_a_password_has_none_to_change(rosa, as_user):
    rosa.set_unusable_password()
    rosa.save()
    client = as_user(rosa)
    assert 'href="/password/"' not in text_of(client.get("/"))
    for answer in (client.get("/password/"), change(client)):
        assert answer.status_code == 403
        assert "there is none to change" in text_of(answer)
