"""Who may invoke a function's alias, and what does not count as permission."""

import json

import pytest

from aws import session
from aws.permissions import EVERY_GROUP, read_callers
from infra.sandbox.tests.service import client

GROUP = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/shop-blue/1"


def statement(**changed: object) -> dict[str, object]:
    plain = {
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Principal": {"Service": "elasticloadbalancing.amazonaws.com"},
        "Resource": "arn:aws:lambda:eu-central-1:123456789012:function:shop:live",
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": "123456789012"},
            "ArnLike": {"AWS:SourceArn": GROUP},
        },
    }
    return plain | changed


@pytest.fixture
def callers(scripted):
    access, answer = scripted

    def read(*statements):
        policy = json.dumps({"Statement": statements})
        asked = {"FunctionName": "shop", "Qualifier": "live"}
        answer(session.functions(access), ("get_policy", asked, {"Policy": policy}))
        return read_callers(access, "shop")

    return read


def test_the_group_whose_load_balancer_may_call_the_alias_is_found(access, service):
    assert read_callers(access, service.functions["blue"]) == {service.groups["blue"]}


def test_an_alias_without_any_permission_has_no_callers(access, sandbox, service):
    name = service.functions["blue"]
    policy = client(sandbox, "lambda").get_policy(FunctionName=name, Qualifier="live")["Policy"]
    for one in json.loads(policy)["Statement"]:
        client(sandbox, "lambda").remove_permission(
            FunctionName=name, StatementId=one["Sid"], Qualifier="live"
        )
    assert read_callers(access, name) == frozenset()


def test_a_permission_without_conditions_is_for_every_group(callers):
    assert callers(statement(Condition={}), statement()) == {EVERY_GROUP, GROUP}


@pytest.mark.parametrize(
    "other",
    [
        statement(Effect="Deny"),
        statement(Action="lambda:GetFunction"),
        statement(Principal={"Service": "events.amazonaws.com"}),
        statement(Principal="*"),
        statement(Resource="arn:aws:lambda:eu-central-1:123456789012:function:shop:other"),
        statement(Condition={"StringEquals": {"AWS:SourceAccount": "999999999999"}}),
        statement(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}),
    ],
)
def test_what_does_not_let_the_load_balancer_in_is_none(callers, other):
    assert callers(other) == frozenset()
