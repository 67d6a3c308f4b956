"""From what happens to what people are told: who gets what, how often it is tried, and when it is no longer needed."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.db import transaction
from django.utils import timezone

from audit.events import Actor
from releases.domain.access.decisions import Permission
from releases.domain.approval.approval_policy import PlanIdentity
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.domain.messaging.messages import MessageKind, WebhookStyle
from releases.models import Delivery, MailChoice, Message, Policy, Release, Step, Webhook
from releases.permissions import grant
from releases.services.approval import approvals, gates
from releases.services.lifecycle import SYSTEM, change_release, change_step
from releases.services.messaging import outbox, posts, webhooks
from releases.services.messaging.posts import PostFailed
from releases.services.messaging.telling import tell
from releases.services.messaging.webhooks import WantedWebhook
from releases.tests import factories

HOOK = "https://hooks.example/T0/secret-part"


@pytest.fixture(autouse=True)
def with_mail(settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.MAIL_IS_SET_UP = True
    settings.PUBLIC_URL = "https://bluegreen.example"


@pytest.fixture
def scene(scene):
    """Everybody has an address; what was told while it was made is forgotten."""
    for user in (scene.requester, scene.manager, scene.operator):
        user.email = f"{user.username}@example.com"
        user.save()
    Message.objects.all().delete()
    return scene


@pytest.fixture
def posted(monkeypatch) -> list[tuple[str, bytes, dict[str, str]]]:
    """What is posted, without a network."""
    got: list[tuple[str, bytes, dict[str, str]]] = []
    monkeypatch.setattr(posts, "post", lambda to, body, headers: got.append((to, body, headers)))
    return got


def waits(scene) -> None:
    gates.ask(scene.service, scene.canary)


def hook(service=None, style: WebhookStyle = WebhookStyle.SLACK, secret: str = "") -> Webhook:
    webhooks.keep(
        service=service, wanted=WantedWebhook(style=style, address=HOOK, secret=secret), actor=SYSTEM
    )
    return Webhook.objects.get(service=service)


def told() -> list[tuple[str, str]]:
    return sorted((sent.to[0], str(sent.subject)) for sent in mail.outbox)


def due_again() -> None:
    Delivery.objects.update(next_try_at=timezone.now() - timedelta(seconds=1), claimed_until=None)


def shown(step: Step) -> PlanIdentity:
    run = step.plan_run
    assert run is not None
    return PlanIdentity(sha256=run.plan_sha256, changes_digest=run.changes_digest)


def test_who_may_approve_is_told_once_of_a_plan_that_waits_and_the_link_leads_to_it(scene):
    waits(scene)
    waits(scene)
    outbox.work()
    (sent,) = mail.outbox
    assert sent.to == ["manager@example.com"]
    assert sent.subject == "catalog (production), R-1, Canary: waits for an approval".replace(
        "R-1", str(scene.release)
    )
    assert "Sends only 127.0.0.9/32 to green · green" in sent.body
    assert "Risk: needs a look." in sent.body
    assert f"https://bluegreen.example/inbox/{scene.canary.pk}/" in sent.body
    assert sent.extra_headers["Auto-Submitted"] == "auto-generated"


def test_nothing_is_told_where_what_happened_was_taken_back(scene):
    with transaction.atomic():
        waits(scene)
        transaction.set_rollback(True)
    assert not Message.objects.exists()


def test_nobody_is_asked_any_more_once_the_gate_is_open(scene):
    waits(scene)
    outbox.spread()
    approvals.approve(step_id=scene.canary.pk, user=scene.manager, shown=shown(scene.canary))
    outbox.work()
    assert [subject for _, subject in told() if "waits" in subject] == []
    assert Delivery.objects.get(message__kind="gate_waits").state == "dropped"


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_whose_release_it_is_hears_how_it_was_decided_and_why(scene, decision):
    getattr(approvals, decision)(
        step_id=scene.canary.pk, user=scene.manager, shown=shown(scene.canary), comment="I looked at it"
    )
    outbox.work()
    word = {"approve": "approved", "reject": "rejected"}[decision]
    assert [to for to, subject in told() if subject.endswith(f"Canary: {word} by manager")] == [
        "requester@example.com"
    ]
    assert "“I looked at it”" in mail.outbox[0].body


def test_of_a_failure_who_requested_and_who_started_it_hear(scene):
    Step.objects.filter(pk=scene.canary.pk).update(started_by=scene.operator, status="applying")
    step = Step.objects.select_related("service", "release").get(pk=scene.canary.pk)
    change_step(step, StepStatus.FAILED, actor=SYSTEM, action="step.failed", reason="AccessDenied")
    outbox.work()
    assert [to for to, _ in told()] == ["operator@example.com", "requester@example.com"]
    assert "AccessDenied" in mail.outbox[0].body


def test_of_a_rollback_who_requested_the_release_hears_but_not_who_pressed(scene):
    actor = Actor(id=str(scene.requester.pk), name="requester", via="page")
    change_release(scene.release, ReleaseStatus.ROLLED_BACK, actor=actor, action="release.rolled-back")
    outbox.work()
    assert told() == []
    tell(MessageKind.ROLLED_BACK, scene.service, release=scene.release, actor=SYSTEM)
    outbox.work()
    assert [to for to, _ in told()] == ["requester@example.com"]


def test_of_a_broken_glass_all_hear_whom_it_concerns(scene):
    keeper = factories.person("keeper", scene.service, Permission.VIEW, Permission.MANAGE)
    keeper.email = "keeper@example.com"
    keeper.save()
    actor = Actor(id=str(scene.operator.pk), name="operator", via="page")
    tell(MessageKind.BREAK_GLASS, scene.service, step=scene.canary, actor=actor, reason="prod is down")
    outbox.work()
    assert [to for to, _ in told()] == ["keeper@example.com", "manager@example.com", "requester@example.com"]


def test_a_mail_that_somebody_does_not_want_is_not_sent(scene):
    MailChoice.objects.create(user=scene.manager, unwanted=["gate_waits"])
    waits(scene)
    outbox.work()
    assert told() == []


@pytest.mark.parametrize("change", [{"is_active": False}, {"email": ""}])
def test_who_is_gone_gets_nothing_not_even_what_was_on_its_way(scene, change):
    waits(scene)
    outbox.spread()
    type(scene.manager).objects.filter(pk=scene.manager.pk).update(**change)
    outbox.work()
    assert told() == []
    assert Delivery.objects.get().state == "dropped"


def test_without_a_mail_server_only_webhooks_are_told(scene, settings, posted):
    settings.MAIL_IS_SET_UP = False
    hook()
    waits(scene)
    outbox.work()
    assert told() == []
    assert len(posted) == 1


def test_the_service_s_webhook_and_the_one_for_all_are_told_signed(scene, posted):
    hook(style=WebhookStyle.JSON, secret="a secret of some length")
    hook(scene.service)
    hook(factories.ServiceFactory.create())
    waits(scene)
    outbox.work()
    assert [address for address, _, _ in posted] == [HOOK, HOOK]
    (headers,) = (headers for _, _, headers in posted if "Bluegreen-Signature" in headers)
    assert re.fullmatch("v1=[0-9a-f]{64}", headers["Bluegreen-Signature"])
    assert set(Delivery.objects.filter(webhook__isnull=False).values_list("state", flat=True)) == {"sent"}


def test_neither_address_nor_secret_is_in_the_database_in_the_clear(scene):
    webhook = hook(style=WebhookStyle.JSON, secret="a secret of some length")
    stored = f"{webhook.address} {webhook.secret}"
    assert "secret-part" not in stored
    assert "some length" not in stored
    assert webhooks.reveal(webhook) == (HOOK, "a secret of some length")


@pytest.fixture
def refusing(monkeypatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PostFailed("hooks.example answered 500.")

    monkeypatch.setattr(posts, "post", refuse)


def test_what_is_not_taken_is_tried_again_later_and_then_given_up_and_tried_by_hand(
    scene, refusing, settings
):
    settings.MAIL_IS_SET_UP = False
    hook()
    waits(scene)
    outbox.work()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.tries) == ("waiting", 1)
    assert delivery.last_error == "hooks.example answered 500."
    assert delivery.next_try_at > timezone.now()
    outbox.work()
    assert Delivery.objects.get().tries == 1
    for _ in range(11):
        due_again()
        outbox.deliver()
    assert Delivery.objects.get().state == "failed"
    assert outbox.try_again(delivery.pk)
    assert not outbox.try_again(delivery.pk)
    assert Delivery.objects.get().tries == 0


def test_a_mail_server_that_is_away_is_tried_again(scene, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    waits(scene)
    outbox.work()
    delivery = Delivery.objects.get()
    assert delivery.state == "waiting"
    assert "The mail was not taken" in delivery.last_error
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    due_again()
    outbox.work()
    assert Delivery.objects.get().state == "sent"
    assert len(mail.outbox) == 1


def test_one_that_died_while_it_sent_is_sent_again_when_its_claim_is_over(scene):
    waits(scene)
    outbox.spread()
    Delivery.objects.update(claimed_until=timezone.now() + timedelta(seconds=30), tries=1)
    outbox.work()
    assert told() == []
    Delivery.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    outbox.work()
    assert len(mail.outbox) == 1


def test_a_plan_that_waits_for_long_is_told_of_again_some_times_and_not_at_once(scene, settings):
    settings.REMIND_AFTER_HOURS = 4
    waits(scene)
    assert outbox.remind() == 0
    long_ago = timezone.now() - timedelta(hours=5)
    for _ in range(5):
        Step.objects.update(asked_at=long_ago)
        Message.objects.update(created_at=long_ago)
        outbox.remind()
        assert outbox.remind() == 0
    assert Message.objects.filter(kind="gate_still_waits").count() == 3
    outbox.work()
    assert {to for to, _ in told()} == {"manager@example.com"}


def test_who_could_approve_is_told_again_when_an_approval_is_taken_back_and_reminded_anew(scene, settings):
    settings.REMIND_AFTER_HOURS = 4
    waits(scene)
    outbox.work()
    long_ago = timezone.now() - timedelta(hours=5)
    for _ in range(3):
        Step.objects.update(asked_at=long_ago)
        Message.objects.update(created_at=long_ago)
        outbox.remind()
    Message.objects.update(created_at=long_ago)
    assert outbox.remind() == 0
    approvals.approve(step_id=scene.canary.pk, user=scene.manager, shown=shown(scene.canary))
    approvals.withdraw(step_id=scene.canary.pk, user=scene.manager)
    outbox.work()
    waits(scene)
    assert Message.objects.filter(kind="gate_waits").count() == 2
    waited = [to for to, subject in told() if subject.endswith("Canary: waits for an approval")]
    assert waited == ["manager@example.com"] * 2
    Step.objects.update(asked_at=long_ago)
    Message.objects.filter(kind="gate_waits", created_at__gt=long_ago).update(
        created_at=long_ago + timedelta(minutes=1)
    )
    Message.objects.exclude(kind="gate_waits").update(created_at=long_ago)
    assert outbox.remind() == 1


@pytest.mark.parametrize("slots", [["anybody", "anybody"], ["anybody", "SRE"]])
def test_one_of_two_that_is_taken_back_is_told_of_again_as_well(scene, slots):
    Group.objects.create(name="SRE").user_set.add(scene.manager)
    content = {"gates": {"canary": {"need": "as_planned", "slots": slots}}}
    Policy.objects.create(service=scene.service, content=content)
    waits(scene)
    approvals.approve(step_id=scene.canary.pk, user=scene.manager, shown=shown(scene.canary))
    assert Message.objects.filter(kind="gate_waits").count() == 1
    approvals.withdraw(step_id=scene.canary.pk, user=scene.manager)
    assert Message.objects.filter(kind="gate_waits").count() == 2


def test_no_reminder_where_none_is_wanted(scene, settings):
    settings.REMIND_AFTER_HOURS = 0
    Step.objects.update(asked_at=timezone.now() - timedelta(days=5))
    assert outbox.remind() == 0


def test_old_messages_go_with_their_deliveries_and_untold_ones_stay(scene):
    waits(scene)
    outbox.work()
    Message.objects.update(created_at=timezone.now() - timedelta(days=91))
    tell(MessageKind.FAILED, scene.service, step=scene.canary, actor=SYSTEM)
    Message.objects.update(created_at=timezone.now() - timedelta(days=91))
    outbox.prune()
    assert [message.kind for message in Message.objects.all()] == ["failed"]
    assert not Delivery.objects.exists()


def test_what_people_wrote_is_no_header_and_no_markup_in_a_mail(scene):
    Release.objects.update(reason="x\r\nBcc: evil@example.com\r\n\u202e<b>")
    waits(scene)
    outbox.work()
    message = mail.outbox[0].message()
    assert message["Bcc"] is None
    assert message.get_content_type() == "text/plain"
    assert "\u202e" not in mail.outbox[0].body


def test_many_approvers_and_webhooks_each_get_one(scene, posted):
    for number in range(5):
        user = factories.UserFactory.create(email=f"p{number}@example.com")
        grant(user, scene.service, Permission.VIEW, Permission.APPROVE)
    hook()
    waits(scene)
    for _ in range(3):
        outbox.work()
    assert len(mail.outbox) == len({to for to, _ in told()}) == 6
    assert len(posted) == 1
