"""Another key: everything that is stored is encrypted with it, and nothing is lost on the way."""

from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from releases.domain.provisioning.settings import Settings
from releases.domain.versions.environment import token_of
from releases.models import Service, Step
from releases.services import canary_header
from releases.services.execution import storage
from releases.services.renewal import Renewed, renew_encryption
from releases.services.versions import secret_values
from releases.tests.factories import ReleaseFactory, ServiceFactory
from terraform_runner.encryption import make_key, parse_keys

pytestmark = pytest.mark.django_db
OLD, NEW = make_key("old"), make_key("new")


@pytest.fixture(autouse=True)
def here(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.KEY_RING = parse_keys(OLD)


@pytest.fixture
def other_key(settings):
    """Puts a new key first; then the old one is taken away."""

    def change(*, keep_old: bool) -> None:
        settings.KEY_RING = parse_keys(f"{NEW},{OLD}" if keep_old else NEW)

    return change


def service_with_secret(value: str = "correct horse") -> Service:
    """One secret, which both colours and a release have."""
    service = ServiceFactory.create()
    stored = {"environment": {"LEVEL": "info", "KEY": secret_values.encrypt(service.pk, "KEY", value)}}
    service.blue_configuration = service.green_configuration = stored
    service.save()
    ReleaseFactory.create(service=service, configuration=stored)
    return service


def test_plans_and_unwritten_states_need_the_old_key_no_more(other_key):
    digest, run = storage.plan_store().put(b'"a plan"'), str(uuid4())
    storage.unsaved_states().put(run, b"a state")

    other_key(keep_old=True)
    assert renew_encryption() == Renewed(objects=2)

    other_key(keep_old=False)
    assert storage.plan_store().read_json(digest) == "a plan"
    assert storage.unsaved_states().get(run) == b"a state"


def test_secret_values_need_the_old_key_no_more_and_equal_ones_stay_equal(other_key):
    service = service_with_secret()
    before = service.blue_configuration

    other_key(keep_old=True)
    assert renew_encryption() == Renewed(values=1)

    other_key(keep_old=False)
    service.refresh_from_db()
    after = service.blue_configuration
    assert after != before
    assert after["environment"]["LEVEL"] == "info"
    assert after == service.green_configuration == service.releases.get().configuration
    assert secret_values.reveal(service.pk, after) == {token_of(after["environment"]["KEY"]): "correct horse"}


def test_the_canary_s_header_needs_the_old_key_no_more_wherever_it_is_stored(other_key):
    service = ServiceFactory.create(canary_header_name="X-Canary")
    now, then = (
        canary_header.encrypt(service.pk, value) for value in ("present-value-123", "coming-value-1234")
    )
    # A variable may have any name: this one says nothing of the header, and is no secret.
    configuration = {"environment": {"canary_header_value": "present"}}
    asked_for = {"canary_header_name": "X-Canary", "canary_header_value": then}
    Service.objects.update(
        canary_header_value=now, settings_begun=asked_for, blue_configuration=configuration
    )
    before = {**asked_for, "canary_header_value": now}
    Step.objects.create(
        service=service,
        transition="settings",
        candidate_share=0,
        settings_before=before,
        settings_after=asked_for,
    )

    other_key(keep_old=True)
    assert renew_encryption() == Renewed(values=2)
    assert renew_encryption() == Renewed()

    other_key(keep_old=False)
    service.refresh_from_db()
    step = Step.objects.get()
    now, then = service.canary_header_value, service.settings_begun["canary_header_value"]
    assert step.settings_before["canary_header_value"] == now
    assert step.settings_after["canary_header_value"] == then
    both = [Settings(canary_header_name="X-Canary", canary_header_value=value) for value in (now, then)]
    assert list(canary_header.reveal(service.pk, *both).values()) == [
        "present-value-123",
        "coming-value-1234",
    ]
    assert service.blue_configuration == configuration


def test_done_again_it_changes_nothing(other_key):
    service = service_with_secret()
    storage.plan_store().put(b"a plan")
    other_key(keep_old=True)
    renew_encryption()
    service.refresh_from_db()
    before = service.blue_configuration

    assert renew_encryption() == Renewed()

    service.refresh_from_db()
    assert service.blue_configuration == before


def test_what_no_key_opens_is_named_and_the_rest_is_done(other_key, settings):
    lost = service_with_secret()
    settings.KEY_RING = parse_keys(make_key("lost"))
    storage.plan_store().put(b"another plan")
    Service.objects.filter(pk=lost.pk).update(
        blue_configuration={"environment": {"KEY": secret_values.encrypt(lost.pk, "KEY", "gone")}}
    )
    settings.KEY_RING = parse_keys(OLD)
    good = service_with_secret()

    other_key(keep_old=True)
    renewed = renew_encryption()

    assert renewed.values == 1
    assert [str(lost.pk) in problem for problem in renewed.problems] == [False, True]
    assert all("the key “lost”" in problem for problem in renewed.problems)
    other_key(keep_old=False)
    good.refresh_from_db()
    assert secret_values.reveal(good.pk, good.blue_configuration)


def test_the_command_says_when_the_old_keys_can_go(other_key, capsys):
    storage.plan_store().put(b"a plan")
    other_key(keep_old=True)

    call_command("renew_encryption")

    said = capsys.readouterr().out
    assert "Encrypted again: 1 objects, 0 secret values." in said
    assert "can be taken away" in said


def test_the_command_fails_as_long_as_something_needs_an_old_key(other_key, capsys):
    storage.plan_store().put(b"a plan")
    other_key(keep_old=False)

    with pytest.raises(CommandError, match="Keep the old keys"):
        call_command("renew_encryption")
    assert "can be taken away" not in capsys.readouterr().out
