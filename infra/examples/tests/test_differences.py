"""The README's table of differences from the original: what its rows say is what a plan and the walk show."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from conftest import TerraformCli
from infra.examples.tests import test_readme
from infra.examples.tests.readme import README, read_table
from infra.modules.tests.commands import Directory, copy_of_infra
from infra.sandbox.info import SandboxInfo

HERE = Path(__file__)
INPUTS = HERE.with_name("inputs.tftest.hcl")
WALK = Path(test_readme.__file__)

# Each row's first cell, and the test that holds it.
HELD_BY = {
    '`active_color = "green"`, `green_weight = 0`': (INPUTS, "green_weight_is_literal_whatever_is_stable"),
    "`promote_to_all = true`": (INPUTS, "promote_to_all_is_refused"),
    "canary on and off": (WALK, "test_both_rules_stay_the_same_ones"),
    "canary at the first shift": (
        WALK,
        "test_each_phase_leads_everyone_and_the_testers_where_the_readme_says",
    ),
    "weight 0 or 100": (WALK, "test_each_phase_leads_everyone_and_the_testers_where_the_readme_says"),
    "rotation in one apply": (WALK, "test_nobody_is_answered_by_another_version_while_an_apply_runs"),
    "load balancer and network": (HERE, "test_load_balancer_and_network_are_not_made"),
    "functions' network": (HERE, "test_function_is_in_no_network_but_the_one_its_colour_is_given"),
    "`memory_size`, `timeout`": (HERE, "test_memory_and_timeout_are_both_colours_or_one_colours_own"),
    "`hostnames`": (HERE, "test_service_without_hostnames_has_all_paths"),
    "`priority`": (INPUTS, "priorities_one_apart_are_refused"),
}

IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nginx-lambda:blue"
SERVICES = {
    "lambda_config": {
        "web": {
            "family": "web",
            "blue_image": IMAGE,
            "green_image": IMAGE,
            "memory_size": 256,
            "timeout": 10,
            "green_config": {
                "memory_size": 512,
                "subnet_ids": ["subnet-1"],
                "security_group_ids": ["sg-1"],
            },
        }
    }
}

Resources = Mapping[str, Mapping[str, Any]]


def test_every_row_is_held_by_a_test() -> None:
    assert [row[0] for row in read_table(README.read_text(), "Differences from the original")] == list(
        HELD_BY
    )
    for file, name in HELD_BY.values():
        text = file.read_text()
        assert f"def {name}(" in text or f'run "{name}"' in text


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, terraform_cli: TerraformCli) -> Directory:
    """A copy of the example, initialised."""
    path = copy_of_infra(tmp_path_factory.mktemp("infra")) / "examples"
    directory = Directory(path=path, environment=terraform_cli.environment)
    directory.terraform("init", "-input=false")
    return directory


@pytest.fixture(scope="module")
def planned(root: Directory, sandbox: SandboxInfo) -> Resources:
    """The values that a first plan of SERVICES has, by address within the module."""
    reaching = Directory(path=root.path, environment={**root.environment, **sandbox.environment()})
    (root.path / "services.tfvars.json").write_text(json.dumps(SERVICES))
    reaching.terraform("plan", "-var-file=services.tfvars.json", "-out=plan")
    plan = json.loads(reaching.terraform("show", "-json", "plan"))
    prefix = 'module.service["web"].'
    return {
        change["address"].removeprefix(prefix): change["change"]["after"]
        for change in plan["resource_changes"]
        if change["mode"] == "managed"
    }


@pytest.mark.terraform
def test_what_cannot_work_is_refused_when_planning(root: Directory) -> None:
    assert "0 failed" in root.terraform("test")


@pytest.mark.terraform
def test_load_balancer_and_network_are_not_made(planned: Resources) -> None:
    assert {address.partition(".")[0] for address in planned} == {
        "aws_iam_role",
        "aws_iam_role_policy_attachment",
        "aws_lambda_alias",
        "aws_lambda_function",
        "aws_lambda_permission",
        "aws_lb_listener_rule",
        "aws_lb_target_group",
        "aws_lb_target_group_attachment",
    }


@pytest.mark.terraform
def test_function_is_in_no_network_but_the_one_its_colour_is_given(planned: Resources) -> None:
    assert planned["aws_lambda_function.blue"]["vpc_config"] == []
    assert planned["aws_lambda_function.green"]["vpc_config"][0]["subnet_ids"] == ["subnet-1"]


@pytest.mark.terraform
def test_memory_and_timeout_are_both_colours_or_one_colours_own(planned: Resources) -> None:
    blue, green = (planned[f"aws_lambda_function.{color}"] for color in ("blue", "green"))
    assert (blue["memory_size"], blue["timeout"]) == (256, 10)
    assert (green["memory_size"], green["timeout"]) == (512, 10)


@pytest.mark.terraform
def test_service_without_hostnames_has_all_paths(planned: Resources) -> None:
    for name in ("traffic", "canary"):
        conditions = planned[f"aws_lb_listener_rule.{name}"]["condition"]
        paths = [path for condition in conditions for path in condition["path_pattern"]]
        assert paths == [{"values": ["/*"]}]
