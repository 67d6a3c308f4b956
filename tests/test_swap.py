"""A rotation by swap, with the real Terraform: prepared ahead, it moves nobody and changes no function."""

import pytest
from django.utils import timezone

from audit.events import Actor
from aws import load_balancer
from aws.accounts import Purpose
from conftest import TerraformCli
from infra.sandbox.info import SandboxInfo
from releases.domain.access.decisions import Permission
from releases.domain.lifecycle import StepStatus
from releases.domain.plans.expectation import TRAFFIC_RULE
from releases.domain.traffic import Color, Transition
from releases.models import Service, Step
from releases.services import preparation
from releases.services.execution import runs
from releases.services.execution.accounts import access
from releases.services.execution.realities import read_reality
from releases.services.provisioning import setup
from releases.services.provisioning.setup import NewService
from releases.services.rollback.safe_traffic import SafeTraffic
from releases.tests.factories import person
from terraform_runner.claims import worker_name
from terraform_runner.domain.runs import RunStatus
from terraform_runner.models import Run
from tests.life import new_service

pytestmark = [pytest.mark.terraform, pytest.mark.long, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def promoted(sandbox: SandboxInfo, terraform_cli: TerraformCli, settings, tmp_path) -> Service:
    """Set up by Terraform; then everyone was sent to green, at AWS and in the records."""
    settings.AWS_ENDPOINT_URL = sandbox.endpoint_url
    settings.AWS_ACCESS_KEY_ID = sandbox.access_key_id
    settings.AWS_SECRET_ACCESS_KEY = sandbox.secret_access_key
    settings.DATA_DIR = tmp_path / "data"
    settings.TERRAFORM_BIN = str(terraform_cli.binary)
    settings.TERRAFORM_MIRROR = terraform_cli.mirror
    service = setup.create_service(_new(sandbox), actor=Actor(id="", name="tests", via="command"))
    work()
    service.refresh_from_db()
    everyone_on_green = SafeTraffic.of(service, Color.GREEN).weights
    load_balancer.set_weights(access(service, Purpose.EMERGENCY), service.traffic_rule_arn, everyone_on_green)
    Service.objects.filter(pk=service.pk).update(green_weight=100, promoted_at=timezone.now())
    service.refresh_from_db()
    return service


def _new(sandbox: SandboxInfo) -> NewService:
    return new_service(
        sandbox,
        "swapping",
        priority=27_001,
        canary_addresses=["127.0.0.9/32"],
        settle_seconds=0,
        rotation="swap",
    )


def work() -> None:
    """Execute what is queued, as one worker does."""
    while queued := list(Run.objects.filter(status=RunStatus.QUEUED).order_by("queued_at")):
        for run in queued:
            runs.execute(run.pk, worker=worker_name())


def test_the_real_plan_of_a_swap_exchanges_the_canarys_weights_and_nothing_else(promoted):
    before = read_reality(promoted)
    operator = person("otto", promoted, Permission.VIEW, Permission.OPERATE)
    preparation.prepare(service_id=promoted.pk, user=operator, gives_up_old_version=True)
    work()
    step = Step.objects.get(transition=Transition.SWAP_COLORS.value)
    assert (step.status, step.problem) == (StepStatus.DONE, "")
    assert step.plan_run is not None
    changed = [change["address"] for change in step.plan_run.changes if change["actions"] != ["no-op"]]
    assert changed == ["module.service.aws_lb_listener_rule.canary"]
    after = read_reality(promoted)
    assert after.rules[TRAFFIC_RULE] == before.rules[TRAFFIC_RULE]
    assert (after.blue, after.green) == (before.blue, before.green)
    promoted.refresh_from_db()
    assert (promoted.active_color, promoted.safe_color, promoted.state.candidate_share) == (
        "green",
        "green",
        0,
    )
