"""Each call that Bluegreen makes at AWS by itself is one that the role may make with which it is made.

The calls are found in the code: `aws/` alone makes any.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore import xform_name

from infra.iam.tests.operations import service_model
from infra.iam.tests.test_policies import actions
from infra.local.paths import ROOT

AWS = ROOT / "aws"
# By the functions of `aws.session` that give a client: what botocore calls the service, and IAM its actions.
CLIENTS = {
    "elbv2": ("elbv2", "elasticloadbalancing"),
    "functions": ("lambda", "lambda"),
    "ecr": ("ecr", "ecr"),
    "cloudwatch": ("cloudwatch", "cloudwatch"),
    "logs": ("logs", "logs"),
}
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
NAMED_OTHERWISE = {"lambda:Invoke": "lambda:InvokeFunction"}
# The bucket's and the process' own rights: docs/storage.md and docs/accounts.md.
NOT_OF_A_ROLE = {"artifacts.py", "credentials.py", "session.py"}
# Made as another role than the reading one, in releases/services: waking, readiness, half_published, safe_traffic.
AS_THE_WRITING_ROLE = {"lambda:InvokeFunction", "lambda:PublishVersion"}
AS_THE_BUTTON = {"elasticloadbalancing:DescribeRules", "elasticloadbalancing:ModifyRule"}


def clients_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "aws.session":
            yield from (alias.name for alias in node.names if alias.name in CLIENTS)


def called_in(tree: ast.AST) -> Iterator[str]:
    """The names of all methods that are called, and of what is read page by page."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr
            if node.func.attr == "get_paginator":
                yield from (str(one.value) for one in node.args if isinstance(one, ast.Constant))


def calls_of(file: Path) -> set[str]:
    """The actions that a file of `aws/` needs."""
    tree = ast.parse(file.read_text())
    needed: set[str] = set()
    for client in clients_in(tree):
        service, prefix = CLIENTS[client]
        operations = {xform_name(name): name for name in service_model(service).operation_names}
        needed |= {f"{prefix}:{operations[name]}" for name in called_in(tree) if name in operations}
    return {NAMED_OTHERWISE.get(action, action) for action in needed}


FILES = sorted(file for file in AWS.glob("*.py") if file.name not in NOT_OF_A_ROLE)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_call_is_allowed_to_the_role_that_makes_it(file: Path) -> None:
    needed = calls_of(file)
    reading = needed - AS_THE_WRITING_ROLE - (AS_THE_BUTTON - set(actions("read")))
    assert reading <= set(actions("read"))
    assert needed & AS_THE_WRITING_ROLE <= set(actions("write"))
    assert needed & AS_THE_BUTTON <= set(actions("button"))


def test_the_calls_are_found_in_the_code() -> None:
    found = set().union(*map(calls_of, FILES))
    assert found >= {
        "cloudwatch:GetMetricData",
        "ecr:DescribeImages",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:ModifyRule",
        "lambda:InvokeFunction",
        "lambda:ListVersionsByFunction",
        "logs:DescribeLogGroups",
    }


def test_files_that_need_no_role_of_the_account_make_no_other_calls() -> None:
    for name in NOT_OF_A_ROLE - {"session.py"}:
        assert not list(clients_in(ast.parse((AWS / name).read_text())))
