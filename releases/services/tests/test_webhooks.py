"""Who may say where messages go, what is refused, and that a change of keys reaches what is stored."""

import pytest

from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.domain.access.roles import Role
from releases.domain.messaging.messages import WebhookStyle
from releases.domain.messaging.outgoing import InvalidTarget
from releases.models import Webhook
from releases.permissions import NotAllowed
from releases.services.access.roles import EVERYWHERE, record_given
from releases.services.lifecycle import SYSTEM
from releases.services.messaging import webhooks
from releases.services.messaging.webhooks import InvalidWebhook, WantedWebhook
from releases.services.renewal import renew_encryption
from releases.tests import factories
from terraform_runner.encryption import parse_keys

SECRET = "a secret of some length"
JSON = WantedWebhook(style=WebhookStyle.JSON, address="https://hooks.example/x", secret=SECRET)


@pytest.fixture
def keeper(service):
    return factories.person("keeper", service, Permission.VIEW, Permission.MANAGE)


def test_who_manages_a_service_sets_its_webhook_and_the_trail_has_it_without_what_is_secret(service, keeper):
    webhooks.change(service=service, user=keeper, wanted=JSON)
    event = AuditEvent.objects.get(action="webhook.changed")
    assert event.after == {"style": "json", "host": "hooks.example", "is_signed": True}
    assert SECRET not in str(vars(event))
    assert "hooks.example/x" not in str(vars(event))


def test_what_is_left_empty_stays(service, keeper):
    webhooks.change(service=service, user=keeper, wanted=JSON)
    slack = WantedWebhook(style=WebhookStyle.SLACK, address="", secret="")
    webhooks.change(service=service, user=keeper, wanted=slack)
    webhook = Webhook.objects.get()
    assert webhook.style == "slack"
    assert webhooks.reveal(webhook) == ("https://hooks.example/x", SECRET)


def test_others_may_not_and_the_one_for_all_is_an_administrator_s(service, keeper):
    other = factories.ServiceFactory.create()
    viewer = factories.person("viewer", service, Permission.VIEW)
    for user, wanted_for in ((viewer, service), (keeper, other), (keeper, None), (viewer, None)):
        with pytest.raises(NotAllowed):
            webhooks.change(service=wanted_for, user=user, wanted=JSON)
        with pytest.raises(NotAllowed):
            webhooks.remove(service=wanted_for, user=user)
    record_given(Role.ADMIN, keeper, EVERYWHERE, actor=SYSTEM)
    webhooks.change(service=None, user=keeper, wanted=JSON)
    webhooks.remove(service=None, user=keeper)
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ({"address": ""}, InvalidWebhook),
        ({"secret": ""}, InvalidWebhook),
        ({"secret": "too short"}, InvalidWebhook),
        ({"address": "http://127.0.0.1/"}, InvalidTarget),
        ({"address": "https://a:b@hooks.example/"}, InvalidTarget),
    ],
)
def test_a_webhook_that_cannot_be_is_refused(service, keeper, wanted, problem):
    with pytest.raises(problem):
        webhooks.change(service=service, user=keeper, wanted=WantedWebhook(**{**vars(JSON), **wanted}))
    assert not Webhook.objects.exists()


def test_after_a_change_of_keys_what_is_stored_needs_the_old_one_no_more(service, keeper, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    old, new = "old:" + "A" * 43 + "=", "new:" + "B" * 42 + "A="
    settings.KEY_RING = parse_keys(old)
    webhooks.change(service=service, user=keeper, wanted=JSON)
    settings.KEY_RING = parse_keys(f"{new},{old}")
    assert renew_encryption().values == 1
    settings.KEY_RING = parse_keys(new)
    assert webhooks.reveal(Webhook.objects.get()) == ("https://hooks.example/x", SECRET)
