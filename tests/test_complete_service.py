"""A service that has all that one can have, set up by the real Terraform as Bluegreen guards it, and changed."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from audit.events import Actor
from conftest import TerraformCli
from infra.sandbox.info import SandboxInfo
from infra.sandbox.tests.service import client
from releases.domain.canary import CanaryHeader
from releases.domain.lifecycle import StepStatus
from releases.models import Service
from releases.services.provisioning import setup
from tests.keeping import KeptLife
from tests.life import use_sandbox
from tests.test_settings_at_the_sandbox import _new as usual
from tests.test_settings_at_the_sandbox import serving

pytestmark = [pytest.mark.terraform, pytest.mark.long, pytest.mark.django_db(transaction=True)]

NAME = "complete"
FUNCTIONS = [f"{NAME}-blue", f"{NAME}-green"]
BOUNDARY = "bluegreen-boundary"


@pytest.fixture
def life(sandbox: SandboxInfo, terraform_cli: TerraformCli, settings, tmp_path) -> KeptLife:
    use_sandbox(sandbox, terraform_cli, settings, tmp_path / "data")
    new = replace(
        usual(sandbox),
        name=NAME,
        family=NAME,
        priority=27_000,
        canary_slots=3,
        canary_header=CanaryHeader(name="X-Canary", value="correct-horse-battery"),
        stickiness_seconds=600,
    )
    service = setup.create_service(new, actor=Actor(id="", name="t", via="command"))
    Service.objects.filter(pk=service.pk).update(
        paths=["/shop/*"],
        tags={"team": "pay"},
        log_retention_days=30,
        provisioned_concurrency=2,
        role_permissions_boundary=_boundary(sandbox),
    )
    return KeptLife(sandbox, Service.objects.get(pk=service.pk))


def _boundary(sandbox: SandboxInfo) -> str:
    document = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}'
    )
    made = client(sandbox, "iam").create_policy(PolicyName=BOUNDARY, PolicyDocument=document)
    return str(made["Policy"]["Arn"])


def kept_ready(sandbox: SandboxInfo) -> list[int]:
    """How many instances each function's alias has, as AWS tells it."""
    functions = client(sandbox, "lambda")
    return [_kept_ready(functions, name) for name in FUNCTIONS]


def _kept_ready(functions: Any, name: str) -> int:
    try:
        found = functions.get_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
    except functions.exceptions.ProvisionedConcurrencyConfigNotFoundException:
        return 0
    return int(found["RequestedProvisionedConcurrentExecutions"])


def test_all_that_a_service_can_have_is_set_up_and_changed(life, sandbox):
    life.work()
    life.service.refresh_from_db()
    assert life.service.set_up_at is not None
    assert len(life.service.canary_rule_arns) == 4
    assert kept_ready(sandbox) == [2, 2]
    role = client(sandbox, "iam").get_role(RoleName=f"lambda_exec_{NAME}")["Role"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith(f":policy/{BOUNDARY}")
    policies = client(sandbox, "iam").list_role_policies(RoleName=f"lambda_exec_{NAME}")
    assert policies["PolicyNames"] == ["least"]

    before = serving(life)
    for wanted in (3, 0):
        ask = partial(life.change_settings, provisioned_concurrency=wanted)
        assert life.ends(ask).status == StepStatus.DONE
        assert kept_ready(sandbox) == [wanted] * 2
    assert serving(life) == before
