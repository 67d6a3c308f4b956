import json
from dataclasses import replace

import pytest

from releases.domain.plans.expectation import ROLE_POLICIES, Expectation
from releases.domain.plans.guard import check_plan
from releases.domain.provisioning.execution_role import ExecutionRole, RoleRights, least_policy, partition
from releases.domain.tests.real_plans import (
    BLUE_FUNCTION,
    PREFIX,
    ROLE,
    Document,
    change_of,
    document,
    expectation,
    resource,
)
from terraform_runner.domain.plan import parse_plan

MANAGED, LEAST = (f"{PREFIX}{ROLE_POLICIES[rights]}" for rights in RoleRights)
BOUNDARY = "arn:aws:iam::123456789012:policy/bluegreen-boundary"
GIVEN = "arn:aws:iam::123456789012:role/given"


def reasons(shown: Document, wanted: Expectation) -> list[str]:
    return [str(refusal) for refusal in check_plan(parse_plan(shown), wanted)]


def with_role(name: str, role: ExecutionRole) -> Expectation:
    """The set-up's expectation, but for the role."""
    made = expectation(name)
    assert made.blueprint is not None
    return replace(made, blueprint=replace(made.blueprint, role=role))


def test_the_role_is_lambdas_own():
    shown = document("set_up")
    role, policy = change_of(shown, ROLE)["after"], change_of(shown, MANAGED)["after"]
    role["assume_role_policy"] = role["assume_role_policy"].replace(
        "lambda.amazonaws.com", "ec2.amazonaws.com"
    )
    policy["policy_arn"] = "arn:aws:iam::aws:policy/AdministratorAccess"
    policy["role"] = "admin"
    assert reasons(shown, expectation("set_up")) == [
        f"{ROLE}, assume_role_policy: is not what the functions' role is made with.",
        f"{MANAGED}, role: is not what the functions' role may do.",
        f"{MANAGED}, policy_arn: is not what the functions' role may do.",
    ]


@pytest.mark.parametrize("boundary", [None, "arn:aws:iam::aws:policy/AdministratorAccess"])
def test_the_role_is_bounded_by_the_policy_that_was_said(boundary):
    shown = document("set_up_complete")
    change_of(shown, ROLE)["after"]["permissions_boundary"] = boundary
    assert reasons(shown, expectation("set_up_complete")) == [
        f"{ROLE}, permissions_boundary: is not what the functions' role is made with."
    ]


def test_a_boundary_that_nobody_asked_for_is_refused():
    shown = document("set_up")
    change_of(shown, ROLE)["after"]["permissions_boundary"] = BOUNDARY
    assert reasons(shown, expectation("set_up"))
    assert reasons(shown, with_role("set_up", ExecutionRole(permissions_boundary=BOUNDARY))) == []


@pytest.mark.parametrize(
    ("statement", "attribute", "value"),
    [
        (0, "Resource", "*"),
        (0, "Action", ["logs:*"]),
        (1, "Action", ["xray:PutTelemetryRecords", "s3:GetObject"]),
        (3, "Effect", "Allow"),
        (3, "Condition", {}),
    ],
)
def test_the_least_rights_are_these_and_no_others(statement, attribute, value):
    shown = document("set_up_complete")
    after = change_of(shown, LEAST)["after"]
    policy = json.loads(after["policy"])
    policy["Statement"][statement][attribute] = value
    after["policy"] = json.dumps(policy)
    assert reasons(shown, expectation("set_up_complete")) == [
        f"{LEAST}, policy: is not what the functions' role may do."
    ]


@pytest.mark.parametrize("text", ["", "{", "[]", None])
def test_rights_that_are_no_policy_are_refused(text):
    shown = document("set_up_complete")
    change_of(shown, LEAST)["after"]["policy"] = text
    assert reasons(shown, expectation("set_up_complete"))


def test_a_role_is_made_with_the_rights_that_were_chosen():
    bounded = ExecutionRole(permissions_boundary=BOUNDARY)
    assert reasons(document("set_up_complete"), with_role("set_up_complete", bounded)) == [
        f"{LEAST}: was not asked for.",
        f"{MANAGED}: is missing: the service was to have it.",
    ]


def test_no_role_is_made_where_one_is_given():
    asked = with_role("set_up", ExecutionRole(arn=GIVEN))
    assert reasons(document("set_up"), asked)[:2] == [
        f"{ROLE}: was not asked for.",
        f"{MANAGED}: was not asked for.",
    ]
    made = with_role("set_up_given_role", ExecutionRole())
    assert f"{ROLE}: is missing: the service was to have it." in reasons(document("set_up_given_role"), made)


def test_the_functions_get_the_role_that_was_given():
    shown = document("set_up_given_role")
    for color in ("blue", "green"):
        change_of(shown, f"{PREFIX}aws_lambda_function.{color}")["after"]["role"] = f"{GIVEN}-admin"
    assert [reason.partition(": ")[2] for reason in reasons(shown, expectation("set_up_given_role"))] == [
        "is another role than the service's."
    ] * 2


def test_functions_whose_role_is_there_already_get_that_one():
    shown = document("set_up_resumed")
    function = change_of(shown, f"{PREFIX}aws_lambda_function.green")["after"]
    assert function["role"].endswith(":role/lambda_exec_nginx-lambda")
    function["role"] = GIVEN
    assert f"{PREFIX}aws_lambda_function.green, role: is another role than the service's." in reasons(
        shown, expectation("set_up_resumed")
    )


def test_a_role_that_becomes_known_later_is_refused_where_one_is_given():
    shown = document("set_up_given_role")
    change_of(shown, BLUE_FUNCTION)["after_unknown"]["role"] = True
    assert f"{BLUE_FUNCTION}, role: is another role than the service's." in reasons(
        shown, expectation("set_up_given_role")
    )


def test_a_policy_with_another_name_does_not_belong_to_the_service():
    shown = document("set_up_complete")
    item = resource(shown, LEAST)
    shown["resource_changes"].append(
        {**item, "address": f"{PREFIX}aws_iam_role_policy.more[0]", "name": "more"}
    )
    assert reasons(shown, expectation("set_up_complete")) == [
        f"{PREFIX}aws_iam_role_policy.more[0]: does not belong to the service."
    ]


@pytest.mark.parametrize(
    ("region", "wanted"),
    [
        ("eu-central-1", "aws"),
        ("us-east-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
    ],
)
def test_arns_are_those_of_the_regions_part_of_aws(region, wanted):
    assert partition(region) == wanted
    policy = least_policy(["web-blue"], region=region, account_id="123456789012")
    assert policy["Statement"][0]["Resource"] == [
        f"arn:{wanted}:logs:{region}:123456789012:log-group:/aws/lambda/web-blue:*"
    ]
