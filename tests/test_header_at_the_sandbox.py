"""A running service gets a canary header, later another value, slot and priority, with the real Terraform."""

from typing import Any

import pytest
import requests

from audit.events import Actor
from audit.models import AuditEvent
from conftest import TerraformCli
from infra.sandbox.info import SandboxInfo
from infra.sandbox.tests.service import client
from releases.domain.lifecycle import StepStatus
from releases.domain.plans.expectation import HEADER_RULE
from releases.domain.traffic import NOBODY
from releases.models import Service, Step
from releases.services.provisioning import setup
from releases.services.requests import ReleaseRequest, request_release
from terraform_runner.models import LogChunk, Run
from tests.keeping import KeptLife
from tests.life import new_service, use_sandbox

pytestmark = [pytest.mark.terraform, pytest.mark.long, pytest.mark.django_db(transaction=True)]

NAME, PRIORITY, OTHER = "headed", 29_000, 29_010
FIRST, SECOND = "first_who_knows_this", "second~who/knows+this="


@pytest.fixture
def life(sandbox: SandboxInfo, terraform_cli: TerraformCli, settings, tmp_path) -> KeptLife:
    use_sandbox(sandbox, terraform_cli, settings, tmp_path / "data")
    new = new_service(
        sandbox,
        NAME,
        priority=PRIORITY,
        settle_seconds=0,
        bake_seconds=0,
    )
    made = KeptLife(sandbox, setup.create_service(new, actor=Actor(id="", name="t", via="command")))
    made.work()
    made.service.refresh_from_db()
    return made


def rules(life: KeptLife) -> dict[int, dict[str, Any]]:
    """What each of the service's rules asks for beside its host, by priority."""
    arns = list(life.service.rule_arns.values())
    found = client(life.sandbox, "elbv2").describe_rules(RuleArns=arns)["Rules"]
    return {int(rule["Priority"]): _asked(rule["Conditions"]) for rule in found}


def _asked(conditions: list[dict[str, Any]]) -> dict[str, Any]:
    configs = {"source-ip": "SourceIpConfig", "http-header": "HttpHeaderConfig"}
    asked = [one for one in conditions if one["Field"] in configs]
    return {one["Field"]: one[configs[one["Field"]]]["Values"] for one in asked}


def answering(life: KeptLife, value: str) -> set[str]:
    """The colours that answer somebody from anywhere who sends the header with this value."""
    headers = {"Host": life.service.hostnames[0], "x-canary": value}
    answers = [requests.get(life.sandbox.everyone_url, headers=headers, timeout=10) for _ in range(5)]
    return {str(answer.json()["color"]) for answer in answers}


def assert_nothing_tells_a_value() -> None:
    told = str(
        [
            *LogChunk.objects.values_list("lines", flat=True),
            *Run.objects.values_list("changes", "error_message", "outputs"),
            *Step.objects.values_list("problem", "settings_before", "settings_after"),
            *Service.objects.values_list("settings_begun", "canary_header_value"),
            *AuditEvent.objects.values_list("before", "after"),
        ]
    )
    assert FIRST not in told
    assert SECOND not in told
    assert "(masked)" in told


def test_a_header_is_set_and_changed_in_place_and_sends_testers_from_anywhere(life):
    with_first = life.ends(lambda: life.change_settings(canary_header_name="X-Canary", header_value=FIRST))

    assert (with_first.status, with_first.problem) == (StepStatus.DONE, "")
    made = life.service.canary_rule_arns[HEADER_RULE]
    assert rules(life)[PRIORITY - 2] == {"source-ip": [NOBODY], "http-header": [FIRST]}
    assert answering(life, FIRST) == {"blue"}

    with_second = life.ends(lambda: life.change_settings(priority=OTHER, canary_slots=2, header_value=SECOND))

    assert (with_second.status, with_second.problem) == (StepStatus.DONE, "")
    assert life.service.canary_rule_arns[HEADER_RULE] == made
    assert rules(life) == {
        OTHER: {},
        OTHER - 1: {"source-ip": [NOBODY]},
        OTHER - 2: {"source-ip": [NOBODY]},
        OTHER - 3: {"source-ip": [NOBODY], "http-header": [SECOND]},
    }

    wanted = ReleaseRequest(tag="green", weights=[50], reason="")
    request_release(service_id=life.service.pk, user=life.rita, wanted=wanted)
    life.go_on()
    life.go_on()
    assert answering(life, SECOND) == {"green"}
    assert answering(life, FIRST) == {"blue"}
    assert_nothing_tells_a_value()
