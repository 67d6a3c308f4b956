"""The policies: actions that exist, resources as narrow as AWS allows, and nothing that gives itself more."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.iam.tests.operations import service_model
from infra.modules.tests.commands import INFRA
from infra.sandbox.info import SandboxInfo
from infra.sandbox.tests.service import client

HERE = INFRA / "iam"
IDENTITY = ("read", "write", "button", "boundary")
VALUES = {
    "ACCOUNT_ID": "123456789012",
    "REGION": "eu-central-1",
    "LOAD_BALANCER": "web-alb",
    "EXTERNAL_ID": "4f1c",
}
# Actions whose name isn't the API operation's, and what botocore calls the services.
OPERATIONS = {"lambda:InvokeFunction": "Invoke"}
SERVICES = {"elasticloadbalancing": "elbv2"}
WITHOUT_OPERATION = {"iam:PassRole"}
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: of a managed policy, without white space.
MOST_CHARACTERS = 6144


def text_of(name: str) -> str:
    """A policy's text with values in the place of the words."""
    text = (HERE / f"{name}.json").read_text()
    for word, value in VALUES.items():
        text = text.replace(word, value)
    return text


def statements(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text_of(name))["Statement"]
    return found


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def actions(name: str) -> Iterator[str]:
    for statement in statements(name):
        yield from as_list(statement["Action"])


@pytest.mark.parametrize("name", [*IDENTITY, "trust", "repository"])
def test_every_action_is_an_operation_of_its_service(name: str) -> None:
    for action in set(actions(name)) - WITHOUT_OPERATION:
        service, _, operation = action.partition(":")
        known = service_model(SERVICES.get(service, service)).operation_names
        assert OPERATIONS.get(action, operation) in known, action


@pytest.mark.parametrize("name", [*IDENTITY, "trust", "repository"])
def test_no_action_is_a_wildcard_or_twice_for_the_same_resources(name: str) -> None:
    assert not [action for action in actions(name) if "*" in action]
    for statement in statements(name):
        listed = as_list(statement["Action"])
        assert listed == sorted(set(listed))


@pytest.mark.parametrize("name", IDENTITY)
def test_every_resource_is_said_but_where_aws_knows_none(name: str) -> None:
    for statement in statements(name):
        if statement["Resource"] == "*":
            assert all(
                action.partition(":")[2].startswith(("Describe", "GetMetricData"))
                or statement["Sid"] in {"Traces", "Network"}
                for action in as_list(statement["Action"])
            )
        for resource in set(as_list(statement["Resource"])) - {"*"}:
            assert re.match(r"arn:aws:[a-z0-9]+:(eu-central-1)?:123456789012:[a-z]", resource), resource


@pytest.mark.parametrize("name", IDENTITY)
def test_policy_is_short_enough_to_be_a_managed_one(name: str) -> None:
    assert len(re.sub(r"\s", "", text_of(name))) <= MOST_CHARACTERS


def test_reading_role_changes_nothing() -> None:
    reading = ("Describe", "Get", "List", "BatchGet")
    assert all(action.partition(":")[2].startswith(reading) for action in actions("read"))


def test_button_reads_rules_and_sets_those_of_one_load_balancer() -> None:
    assert sorted(actions("button")) == [
        "elasticloadbalancing:DescribeRules",
        "elasticloadbalancing:ModifyRule",
    ]
    modifying = next(one for one in statements("button") if one["Action"].endswith("ModifyRule"))
    assert "listener-rule/app/web-alb/" in modifying["Resource"]


def test_writing_role_gives_rights_within_the_boundary_and_passes_roles_to_lambda_alone() -> None:
    for statement in statements("write"):
        for action in as_list(statement["Action"]):
            if action in {"iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"}:
                assert statement["Condition"]["StringEquals"]["iam:PermissionsBoundary"].endswith("-boundary")
            if action == "iam:PassRole":
                assert statement["Condition"] == {
                    "StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}
                }
            if action == "iam:AttachRolePolicy":
                assert statement["Condition"]["ArnEquals"]["iam:PolicyARN"].startswith(
                    "arn:aws:iam::aws:policy/"
                )
    assert not {"iam:DeleteRolePermissionsBoundary", "iam:UpdateAssumeRolePolicy"} & set(actions("write"))


def test_boundary_allows_all_that_the_modules_own_role_may() -> None:
    role = (INFRA / "modules" / "lambda-blue-green" / "role.tf").read_text()
    allowed = set(re.findall(r'"((?:logs|xray|ec2):\w+)"', role))
    assert allowed == set(actions("boundary"))


@pytest.mark.parametrize("name", IDENTITY)
def test_policy_is_one_that_iam_takes(name: str, sandbox: SandboxInfo) -> None:
    made = client(sandbox, "iam").create_policy(
        PolicyName=f"bluegreen-{name}-test", PolicyDocument=text_of(name)
    )
    assert made["Policy"]["Arn"].endswith(f"policy/bluegreen-{name}-test")


def test_role_may_be_taken_with_the_external_id(sandbox: SandboxInfo) -> None:
    made = client(sandbox, "iam").create_role(
        RoleName="bluegreen-read-test", AssumeRolePolicyDocument=text_of("trust")
    )
    document = made["Role"]["AssumeRolePolicyDocument"]
    assert document["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"] == VALUES["EXTERNAL_ID"]


def test_repository_takes_its_policy_and_life_cycle(sandbox: SandboxInfo) -> None:
    ecr = client(sandbox, "ecr")
    ecr.create_repository(repositoryName="kept", imageTagMutability="IMMUTABLE")
    ecr.set_repository_policy(repositoryName="kept", policyText=text_of("repository"))
    ecr.put_lifecycle_policy(repositoryName="kept", lifecyclePolicyText=text_of("life-cycle"))


def test_life_cycle_removes_nothing_but_what_says_that_it_may_go() -> None:
    for rule in json.loads(text_of("life-cycle"))["rules"]:
        assert rule["selection"]["tagStatus"] == "tagged"
        assert rule["selection"]["tagPrefixList"] == ["dev-"]


def test_readme_names_every_file() -> None:
    named = set(re.findall(r"^\| `([a-z-]+\.json)`", (HERE / "README.md").read_text(), re.MULTILINE))
    assert named == {file.name for file in Path(HERE).glob("*.json")}
