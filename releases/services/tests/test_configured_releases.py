"""A release that changes the configuration, with the image or without it."""

import json

import pytest

from audit.masking import MASK
from audit.models import AuditEvent
from releases.domain.plans.guard import Refusal
from releases.domain.traffic import Color
from releases.domain.versions.configuration import InvalidConfiguration
from releases.domain.versions.environment import token_of
from releases.models import Release
from releases.services.execution.realities import real_version
from releases.services.provisioning import setup
from releases.services.provisioning.setup import NewService
from releases.services.requests import RequestRefused
from releases.services.tests.conftest import TESTS
from releases.services.tests.world import REPOSITORY, reference
from releases.services.versions import secret_values
from releases.services.versions.configurations import WantedConfiguration

SECRET = "correct horse battery"
BIGGER = WantedConfiguration(settings={"memory_size": 256})
CONFIDENTIAL = WantedConfiguration(
    settings={"memory_size": 256, "environment": {"LEVEL": "info"}}, secrets={"PASSWORD": SECRET}
)


def configuration(life, color: Color) -> dict:
    """What a colour really runs with."""
    return life.world.functions[color].versions[life.world.functions[color].alias - 1][1]


def test_the_same_image_with_another_configuration_is_a_release_like_any_other(life):
    release = life.request("v1", configuration=BIGGER)
    assert (release.image, release.configuration) == (release.from_image, {"memory_size": 256})
    life.go_to(10)
    assert configuration(life, Color.GREEN) == {"memory_size": 256}
    assert configuration(life, Color.BLUE) == {}
    assert life.now().green.configuration == {"memory_size": 256}


def test_a_rollback_brings_the_users_back_to_image_and_configuration(life):
    life.request("v2", configuration=BIGGER)
    life.go_to(50)
    life.roll_back()
    life.world.work()
    state = life.now()
    assert (state.blue.image, state.blue.configuration) == (reference("v1"), {})
    assert life.world.green_weight() == 0
    assert life.world.functions[Color.BLUE].versions == [(reference("v1").partition("@")[2], {})]


def test_the_next_rotation_copies_the_configuration_with_the_image(life):
    life.request("v2", configuration=CONFIDENTIAL)
    life.go_to(100)
    life.request("v3")
    life.go_to(10)
    assert life.now().blue.configuration == life.now().green.configuration
    assert configuration(life, Color.BLUE)["environment"] == {"LEVEL": "info", "PASSWORD": SECRET}


def test_without_a_configuration_the_release_has_the_one_that_the_users_have(life):
    life.request("v2", configuration=BIGGER)
    life.go_to(100)
    assert life.request("v3").configuration == {"memory_size": 256}


def test_the_same_image_and_configuration_are_refused(life):
    with pytest.raises(RequestRefused, match="have this version already"):
        life.request("v1", configuration=WantedConfiguration(settings={"memory_size": 128}))
    life.request("v1", configuration=CONFIDENTIAL)
    life.go_to(100)
    with pytest.raises(RequestRefused, match="have this version already"):
        life.request("v1", configuration=CONFIDENTIAL)


def test_a_configuration_that_lambda_would_refuse_is_refused_and_nothing_is_kept(life):
    with pytest.raises(InvalidConfiguration):
        life.request("v2", configuration=WantedConfiguration(settings={"memory_size": 64}))
    assert not Release.objects.exists()


def test_what_is_wrong_with_a_configuration_is_said_before_aws_is_asked(life, monkeypatch):
    monkeypatch.setattr("aws.images.resolve_image", lambda *_: pytest.fail("ECR was asked"))
    with pytest.raises(InvalidConfiguration):
        life.request("v2", configuration=WantedConfiguration(settings={"timeout": 901}))


def test_a_secret_is_in_the_clear_at_terraform_only(life):
    life.request("v1", configuration=CONFIDENTIAL)
    life.go_to(10)
    assert life.world.applied[-1]["green_config"]["environment"]["PASSWORD"] == SECRET
    stored = json.dumps([*Release.objects.values("configuration"), *life.service.steps.values("state_after")])
    assert SECRET not in stored
    trail = json.dumps([*AuditEvent.objects.values("before", "after", "reason", "subject")])
    token = token_of(life.now().green.configuration["environment"]["PASSWORD"])
    assert SECRET not in trail
    assert token
    assert token not in trail
    assert MASK in trail


def test_the_trail_says_what_a_request_changes(life):
    life.request("v1", configuration=CONFIDENTIAL)
    assert AuditEvent.objects.get(action="release.requested").after["configuration"] == [
        "memory: 128 MB → 256 MB",
        "environment LEVEL: none → info",
        "environment PASSWORD: none → secret",
    ]


def test_what_the_guard_says_is_masked_before_it_is_kept(life):
    life.world.refusals = [Refusal(address="function", attribute="tags", reason=f"is {SECRET}.")]
    life.request("v1", configuration=CONFIDENTIAL)
    assert life.step().problem == "function, tags: is (masked)."
    assert SECRET not in json.dumps([*AuditEvent.objects.values("reason", "after")])


def test_what_is_real_is_recognised_with_its_secrets(life):
    life.request("v1", configuration=CONFIDENTIAL)
    life.go_to(10)
    real = life.world.read_reality(life.service)
    assert real_version(life.service, real, Color.GREEN) == life.now().green
    assert real_version(life.service, real, Color.BLUE) == life.now().blue


def test_a_rollback_renders_what_is_real_of_both_colours(life):
    """Somebody changed green by hand: Terraform has to leave it so, and its value may be a secret."""
    life.request("v1", configuration=CONFIDENTIAL)
    life.go_to(10)
    green = life.world.functions[Color.GREEN]
    green.versions[-1] = (green.versions[-1][0], {"timeout": 60, "environment": {"PASSWORD": "by hand"}})
    life.roll_back()
    life.world.work()
    assert life.world.applied[-1]["green_config"] == {"timeout": 60, "environment": {"PASSWORD": "by hand"}}
    kept = life.now().green.configuration
    assert kept["timeout"] == 60
    assert list(secret_values.reveal(life.service.pk, kept).values()) == ["by hand"]


def test_a_promoted_configuration_is_the_release_that_a_rollback_ends(life):
    first = life.request("v1", configuration=BIGGER)
    life.go_to(100)
    life.roll_back()
    first.refresh_from_db()
    assert first.status == "rolled_back"


def test_a_service_is_set_up_with_its_configuration(life):
    new = NewService(
        name="till",
        family="till",
        environment="production",
        region="eu-central-1",
        account_id="123456789012",
        listener_arn="arn:listener",
        repository_uri=REPOSITORY,
        tag="v1",
        configuration=CONFIDENTIAL,
    )
    service = setup.create_service(new, actor=TESTS)
    assert service.blue_configuration == service.green_configuration
    assert list(secret_values.reveal(service.pk, service.blue_configuration).values()) == [SECRET]
    event = AuditEvent.objects.get(action="service.created", service_id=str(service.pk))
    assert event.after["configuration"]["environment"] == {"LEVEL": "info", "PASSWORD": MASK}
