"""Other settings and a removal, with the real Terraform: nobody's traffic is touched, nor what is anybody else's."""

from functools import partial
from typing import Any

import pytest

from audit.events import Actor
from conftest import TerraformCli
from infra.sandbox.info import SandboxInfo
from infra.sandbox.tests.service import client, make_service
from releases.domain.lifecycle import StepStatus
from releases.domain.provisioning.settings import Settings
from releases.services.provisioning import setup
from releases.services.provisioning.settings_columns import recorded_settings
from releases.services.provisioning.setup import NewService
from tests.keeping import KeptLife
from tests.life import new_service, use_sandbox

pytestmark = [pytest.mark.terraform, pytest.mark.long, pytest.mark.django_db(transaction=True)]

NAME = "settling"
WANTED: dict[str, Any] = {
    "hostnames": ("settling.example.com", "settled.example.com"),
    "tags": {"team": "payments", "cost center": "a/b=c"},
    "log_retention_days": 30,
    "stickiness_seconds": 600,
}


@pytest.fixture
def life(sandbox: SandboxInfo, terraform_cli: TerraformCli, settings, tmp_path) -> KeptLife:
    use_sandbox(sandbox, terraform_cli, settings, tmp_path / "data")
    return KeptLife(sandbox, setup.create_service(_new(sandbox), actor=Actor(id="", name="t", via="command")))


def _new(sandbox: SandboxInfo) -> NewService:
    return new_service(
        sandbox,
        NAME,
        priority=26_000,
        hostnames=["settling.example.com"],
        settle_seconds=0,
    )


def serving(life: KeptLife) -> dict[str, Any]:
    """Who is sent where, and what serves them: rules' actions, functions with all versions, aliases, targets."""
    functions, balancer, service = client(life.sandbox, "lambda"), client(life.sandbox, "elbv2"), life.service
    names = [service.blue_function_name, service.green_function_name]
    groups = [service.blue_target_group_arn, service.green_target_group_arn]
    rules = balancer.describe_rules(RuleArns=[service.traffic_rule_arn, service.canary_rule_arn])["Rules"]
    return {
        "actions": {rule["RuleArn"]: rule["Actions"] for rule in rules},
        "functions": [functions.get_function(FunctionName=name)["Configuration"] for name in names],
        "versions": [functions.list_versions_by_function(FunctionName=name)["Versions"] for name in names],
        "aliases": [functions.list_aliases(FunctionName=name)["Aliases"] for name in names],
        "targets": [
            balancer.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"] for arn in groups
        ],
    }


def everything(sandbox: SandboxInfo) -> dict[str, Any]:
    """All that the sandbox has, whoever's it is."""
    functions, balancer = client(sandbox, "lambda"), client(sandbox, "elbv2")
    names = sorted(one["FunctionName"] for one in functions.list_functions()["Functions"])
    return {
        "functions": names,
        "aliases": [functions.list_aliases(FunctionName=name)["Aliases"] for name in names],
        "rules": balancer.describe_rules(ListenerArn=sandbox.listener_arn)["Rules"],
        "groups": balancer.describe_target_groups()["TargetGroups"],
        "load balancers": balancer.describe_load_balancers()["LoadBalancers"],
        "roles": sorted(role["RoleName"] for role in client(sandbox, "iam").list_roles()["Roles"]),
        "log groups": client(sandbox, "logs").describe_log_groups()["logGroups"],
    }


def as_asked(life: KeptLife) -> dict[str, Any]:
    """What the settings are about, as AWS tells it."""
    balancer, functions, service = client(life.sandbox, "elbv2"), client(life.sandbox, "lambda"), life.service
    rules = balancer.describe_rules(RuleArns=[service.traffic_rule_arn, service.canary_rule_arn])["Rules"]
    logs = client(life.sandbox, "logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{NAME}-")
    described = balancer.describe_tags(ResourceArns=[service.traffic_rule_arn])
    hosts = [
        condition["HostHeaderConfig"]["Values"]
        for rule in rules
        for condition in rule["Conditions"]
        if condition["Field"] == "host-header"
    ]
    return {
        "hosts": [set(values) for values in hosts],
        "tags": functions.get_function(FunctionName=service.blue_function_name)["Tags"],
        "rule tags": {tag["Key"]: tag["Value"] for tag in described["TagDescriptions"][0]["Tags"]},
        "logs": [(group["logGroupName"], group["retentionInDays"]) for group in logs["logGroups"]],
    }


def test_settings_leave_who_is_served_by_what_alone_and_a_removal_takes_only_what_is_its_own(life, sandbox):
    make_service(sandbox, "neighbour", priority=26_100)
    others = everything(sandbox)
    life.work()
    life.service.refresh_from_db()
    before = serving(life)

    assert life.ends(partial(life.change_settings, **WANTED)).status == StepStatus.DONE

    assert recorded_settings(life.service) == Settings(priority=26_000, **WANTED)
    assert serving(life) == before
    assert as_asked(life) == {
        "hosts": [set(WANTED["hostnames"])] * 2,
        "tags": WANTED["tags"],
        "rule tags": WANTED["tags"],
        "logs": [(f"/aws/lambda/{NAME}-{color}", 30) for color in ("blue", "green")],
    }

    assert life.ends(life.remove).status == StepStatus.DONE

    assert life.service.removed_at is not None
    assert everything(sandbox) == others


def test_logs_that_lambda_has_begun_are_kept_as_long_as_is_asked_for(life, sandbox):
    life.work()
    life.service.refresh_from_db()
    logs, before = client(sandbox, "logs"), serving(life)
    names = [f"/aws/lambda/{NAME}-{color}" for color in ("blue", "green")]
    for name in names:  # as Lambda does with a function's first line of log
        logs.create_log_group(logGroupName=name)
        logs.create_log_stream(logGroupName=name, logStreamName="written before")

    for days in (30, 60):
        assert life.ends(partial(life.change_settings, log_retention_days=days)).status == StepStatus.DONE
        found = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{NAME}-")["logGroups"]
        assert [(group["logGroupName"], group["retentionInDays"]) for group in found] == [
            (name, days) for name in names
        ]

    assert all(logs.describe_log_streams(logGroupName=name)["logStreams"] for name in names)
    assert serving(life) == before
    assert life.ends(life.remove).status == StepStatus.DONE
