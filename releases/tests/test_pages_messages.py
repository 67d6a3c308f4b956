"""The pages about messages: on their way, the webhooks, and which mails one gets."""

import json

import pytest
from django.core import mail

from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.domain.access.roles import Role
from releases.models import Delivery, MailChoice, Message, Webhook
from releases.services.access.roles import EVERYWHERE, record_given
from releases.services.lifecycle import SYSTEM
from releases.services.messaging import message_contents, outbox, posts
from releases.tests import factories
from releases.tests.conftest import text_of

PAGE = "/services/catalog/messages/"
HOOK = {"style": "slack", "address": "https://hooks.example/T0/part", "secret": ""}


@pytest.fixture
def keeper(scene):
    return factories.person("keeper", scene.service, Permission.VIEW, Permission.MANAGE)


@pytest.fixture
def given_up(scene) -> Delivery:
    message = Message.objects.filter(kind="gate_waits").get()
    message.content = {name: str(value) for name, value in vars(message_contents.content_of(message)).items()}
    message.save()
    return Delivery.objects.create(
        message=message,
        to="hooks.example",
        state="failed",
        tries=12,
        last_error="hooks.example answered 500.",
    )


@pytest.mark.parametrize("address", [PAGE, "/messages/"])
def test_who_manages_sees_what_was_told_whether_it_arrived_and_tries_it_again(
    scene, keeper, given_up, as_user, address
):
    client = as_user(keeper)
    page = text_of(client.get(address))
    assert "Canary: waits for an approval" in page
    assert "given up" in page
    assert "hooks.example answered 500." in page
    again = text_of(client.post(f"/messages/{given_up.pk}/retry/", follow=True))
    assert "The message to hooks.example is tried again." in again
    assert "was not given up" in text_of(client.post(f"/messages/{given_up.pk}/retry/", follow=True))


def test_others_see_nothing_of_it_and_try_nothing_again(scene, given_up, as_user):
    client = as_user(scene.manager)
    assert "hooks.example" not in text_of(client.get(PAGE))
    assert "hooks.example" not in text_of(client.get("/messages/"))
    assert client.post(f"/messages/{given_up.pk}/retry/").status_code == 404
    assert Delivery.objects.get().state == "failed"


def test_of_many_only_those_in_one_state_are_shown(scene, keeper, given_up, as_user):
    client = as_user(keeper)
    assert "Canary" in text_of(client.get(f"{PAGE}?state=failed"))
    assert "There are none like that." in text_of(client.get(f"{PAGE}?state=waiting"))
    assert "Canary" in text_of(client.get(f"{PAGE}?state=nonsense&page=x"))


def test_a_webhook_is_set_and_removed_and_its_address_is_not_shown_again(keeper, as_user):
    client = as_user(keeper)
    page = text_of(client.post(PAGE, HOOK, follow=True))
    assert "Messages go to <code>hooks.example</code>" in page
    assert "T0/part" not in page
    assert "Nothing is sent there any more." in text_of(client.post(PAGE, {"remove": "1"}, follow=True))
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"address": "http://hooks.example/"}, "Only https:// addresses are sent to."),
        ({"address": ""}, "Write the address."),
        ({"style": "json"}, "Write a secret"),
        ({"secret": "short"}, "at least 16 characters"),
        ({"style": "carrier-pigeon"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_the_address_stays(keeper, as_user, wrong, said):
    response = as_user(keeper).post(PAGE, {**HOOK, **wrong})
    assert response.status_code == 422
    assert said in text_of(response)
    assert ({**HOOK, **wrong})["address"] in text_of(response)
    assert not Webhook.objects.exists()


def test_the_webhook_for_all_is_an_administrator_s(keeper, as_user):
    client = as_user(keeper)
    assert client.post("/messages/", HOOK).status_code == 403
    assert "An administrator decides where the messages of all services go." in text_of(
        client.get("/messages/")
    )
    record_given(Role.ADMIN, keeper, EVERYWHERE, actor=SYSTEM)
    assert client.post("/messages/", HOOK).status_code == 302
    assert Webhook.objects.get().service is None


def test_everybody_chooses_their_mails_and_the_trail_does_not_have_the_address(scene, as_user):
    client = as_user(scene.manager)
    assert "sends no mails" in text_of(client.get("/messages/mine/"))
    sent = {"email": "ana@example.com", "kinds": ["gate_waits", "break_glass"]}
    assert "Kept." in text_of(client.post("/messages/mine/", sent, follow=True))
    scene.manager.refresh_from_db()
    assert scene.manager.email == "ana@example.com"
    unwanted = MailChoice.objects.get().unwanted
    assert set(unwanted) == {"gate_still_waits", "approved", "rejected", "failed", "rolled_back"}
    event = AuditEvent.objects.get(action="person.mails-chosen")
    assert event.after == {
        "mails": ["break_glass", "gate_waits"],
        "has_address": True,
        "address_changed": True,
    }
    page = text_of(client.get("/messages/mine/"))
    assert 'value="ana@example.com"' in page


@pytest.mark.parametrize(
    "sent", [{"email": "no address"}, {"email": "a@b.c\r\nBcc: x@y.z"}, {"kinds": ["x"]}]
)
def test_what_is_no_address_or_no_kind_is_refused(scene, as_user, sent):
    assert as_user(scene.manager).post("/messages/mine/", sent).status_code == 422
    assert not MailChoice.objects.exists()


def test_looking_at_a_link_or_a_mail_scanner_s_opening_it_decides_nothing(scene, as_user):
    client = as_user(scene.manager)
    for method in (client.get, client.head):
        assert method(f"/inbox/{scene.canary.pk}/").status_code == 200
        assert method(f"/inbox/{scene.canary.pk}/approve/").status_code == 405
    scene.canary.refresh_from_db()
    assert scene.canary.approvals.count() == 0


def test_a_test_message_goes_to_the_webhooks_and_to_who_sends_it_and_its_deliveries_are_shown(
    scene, keeper, as_user, monkeypatch, settings
):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.MAIL_IS_SET_UP = True
    keeper.email = "keeper@example.com"
    keeper.save()
    MailChoice.objects.create(user=keeper, unwanted=["gate_waits"])
    posted: list[bytes] = []
    monkeypatch.setattr(posts, "post", lambda to, body, headers: posted.append(body))
    client = as_user(keeper)
    client.post(PAGE, {**HOOK, "style": "json", "secret": "a secret of so many"})
    record_given(Role.ADMIN, keeper, EVERYWHERE, actor=SYSTEM)
    client.post("/messages/", HOOK)
    Message.objects.all().delete()
    assert "The test message is on its way" in text_of(client.post(PAGE, {"test": "1"}, follow=True))
    outbox.work()
    assert [sent.to for sent in mail.outbox] == [["keeper@example.com"]]
    assert mail.outbox[0].subject == "catalog (production): a test message, by keeper"
    assert {json.loads(body).get("kind") for body in posted} == {"test", None}
    page = text_of(client.get(PAGE))
    assert page.count("catalog (production): a test message, by keeper") == 3
    assert page.count("; delivered") == 3
    assert AuditEvent.objects.get(action="message.tested").actor_name == "keeper"


def test_a_test_message_is_refused_where_messages_go_nowhere_and_to_who_may_not(scene, keeper, as_user):
    assert "Messages go nowhere yet" in text_of(as_user(keeper).post(PAGE, {"test": "1"}, follow=True))
    assert as_user(scene.manager).post(PAGE, {"test": "1"}).status_code == 403
    assert b'id="send-test"' not in as_user(scene.manager).get(PAGE).content
    assert not Message.objects.filter(kind="test").exists()
    assert not AuditEvent.objects.filter(action="message.tested").exists()


def test_nobody_chooses_whether_they_want_a_test(scene, as_user):
    client = as_user(scene.manager)
    assert 'value="test"' not in text_of(client.get("/messages/mine/"))
    assert client.post("/messages/mine/", {"kinds": ["test"]}).status_code == 422
