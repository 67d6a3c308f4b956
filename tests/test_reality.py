"""What somebody changes by the API is found: before an apply, beside the plan, and after it, beside what was wanted."""

from typing import Any

import pytest

from aws.errors import AwsError
from infra.sandbox.tests.service import ALIAS
from releases.domain.observed.reality import differences_from_plan, verify
from releases.domain.plans.expectation import Expectation
from releases.domain.tests import real_plans
from releases.domain.traffic import Transition
from releases.services.execution.realities import read_reality, real_version
from terraform_runner.domain.plan import Plan, parse_plan
from tests.at_aws import YOU, Installed, hosts, install, sources

pytestmark = pytest.mark.django_db


@pytest.fixture
def service(sandbox, settings) -> Installed:
    return install(sandbox, settings)


def expectation(service: Installed) -> Expectation:
    """Half of the users are on green, and stay there."""
    state, row = service.row.state, service.row
    return Expectation(
        transition=Transition.SHIFT,
        before=state,
        after=state,
        blue_target_group_arn=row.blue_target_group_arn,
        green_target_group_arn=row.green_target_group_arn,
        hostnames=tuple(row.hostnames),
        priority=row.priority,
    )


def found_afterwards(service: Installed) -> set[str]:
    """What ``verify`` names."""
    wanted = expectation(service)
    real = read_reality(service.row)
    found = verify(wanted.after, wanted, real, versions_before=service.row.function_versions)
    return {difference.what for difference in found}


def plan_of(service: Installed) -> Plan:
    """A plan of a shift as Terraform made one, whose `before` is what this service is at first."""
    document = real_plans.document("shift_up")
    for change in document["resource_changes"]:
        before, address = change["change"]["before"], change["address"]
        kind, _, color = address.removeprefix(real_plans.PREFIX).partition(".")
        if kind == "aws_lb_listener_rule":
            _as_rule(service, before, canary=color == "canary")
        elif kind == "aws_lambda_function":
            before["image_uri"] = getattr(service.row, f"{color}_image")
            before["version"] = getattr(service.row, f"{color}_function_version")
        elif kind == "aws_lambda_alias":
            before["function_version"] = getattr(service.row, f"{color}_function_version")
        elif kind == "aws_lb_target_group_attachment":
            before["target_id"] = alias_arn(service, color)
    return parse_plan(document)


def _as_rule(service: Installed, before: dict[str, Any], *, canary: bool) -> None:
    row = service.row
    green = 100 if canary else row.green_weight
    before["priority"] = row.priority - canary
    before["action"][0]["forward"][0]["target_group"] = [
        {"arn": row.blue_target_group_arn, "weight": 100 - green},
        {"arn": row.green_target_group_arn, "weight": green},
    ]
    plain: dict[str, list[Any]] = {kind: [] for kind in before["condition"][0]}
    conditions = [{**plain, "host_header": [{"values": row.hostnames}]}]
    if canary:
        conditions.append({**plain, "source_ip": [{"values": [YOU]}]})
    before["condition"] = conditions


def alias_arn(service: Installed, color: str) -> str:
    name = getattr(service.row, f"{color}_function_name")
    return f"arn:aws:lambda:{service.info.region}:{service.info.account_id}:function:{name}:{ALIAS}"


def test_a_service_as_it_was_made_is_as_wanted(service):
    assert found_afterwards(service) == set()


def test_a_plan_fits_what_it_was_made_from(service):
    assert differences_from_plan(plan_of(service), read_reality(service.row), expectation(service)) == ()


def test_an_image_is_read_in_the_form_that_terraform_is_given(service):
    version = real_version(service.row, read_reality(service.row), service.row.state.candidate)
    assert version.image == service.info.images["green"]


BOTH, PLAN, VERIFY = "both", "plan", "verify"


def _move_both_aliases(service: Installed) -> None:
    service.set_alias("blue", service.publish("blue", service.info.images["yellow"]))
    service.set_alias("green", "1")


# What is done by hand, what is named by whom.
BY_HAND = {
    "weights of the traffic rule": (
        lambda it: it.set_actions("traffic", 49, 51),
        {"weights of the traffic rule": BOTH},
    ),
    "weights of the canary rule": (
        lambda it: it.set_actions("canary", 100, 0),
        {"weights of the canary rule": BOTH},
    ),
    "a group taken out of the traffic rule": (
        lambda it: it.elbv2.modify_rule(
            RuleArn=it.row.traffic_rule_arn,
            Actions=[{"Type": "forward", "TargetGroupArn": it.row.blue_target_group_arn}],
        ),
        {"weights of the traffic rule": BOTH},
    ),
    "stickiness of the traffic rule": (
        lambda it: it.set_actions("traffic", 50, 50, sticky=True),
        {"stickiness of the traffic rule": BOTH},
    ),
    "stickiness of the canary rule": (
        lambda it: it.set_actions("canary", 0, 100, sticky=True),
        {"stickiness of the canary rule": BOTH},
    ),
    "host of the traffic rule": (
        lambda it: it.set_conditions("traffic", hosts("elsewhere.example.com")),
        {"hosts of the traffic rule": BOTH},
    ),
    "host of the canary rule": (
        lambda it: it.set_conditions("canary", hosts("elsewhere.example.com"), sources(YOU)),
        {"hosts of the canary rule": BOTH},
    ),
    "the same other host for both rules": (
        lambda it: (
            it.set_conditions("traffic", hosts("elsewhere.example.com")),
            it.set_conditions("canary", hosts("elsewhere.example.com"), sources(YOU)),
        ),
        {"hosts of the traffic rule": BOTH, "hosts of the canary rule": BOTH},
    ),
    "the canary's addresses": (
        lambda it: it.set_conditions("canary", hosts(it.host()), sources("10.0.0.0/8")),
        {"source addresses of the canary rule": BOTH},
    ),
    "a canary rule for everybody": (
        lambda it: it.set_conditions("canary", hosts(it.host())),
        {"source addresses of the canary rule": BOTH},
    ),
    "a traffic rule for some": (
        lambda it: it.set_conditions("traffic", hosts(it.host()), sources("10.0.0.0/8")),
        {"source addresses of the traffic rule": BOTH},
    ),
    "a header": (
        lambda it: it.set_conditions(
            "traffic",
            hosts(it.host()),
            {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "x-beta", "Values": ["1"]}},
        ),
        {"header of the traffic rule": BOTH},
    ),
    "one more kind of condition": (
        lambda it: it.set_conditions(
            "traffic",
            hosts(it.host()),
            {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
        ),
        {"other conditions of the traffic rule": BOTH},
    ),
    "a path": (
        lambda it: it.set_conditions(
            "canary",
            hosts(it.host()),
            sources(YOU),
            {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/beta/*"]}},
        ),
        {"paths of the canary rule": BOTH},
    ),
    "a canary rule behind the traffic rule": (
        lambda it: it.elbv2.set_rule_priorities(
            RulePriorities=[{"RuleArn": it.row.canary_rule_arn, "Priority": it.row.priority + 20_000}]
        ),
        {"priority of the canary rule": BOTH},
    ),
    "an image that is not published": (
        lambda it: it.publish("green", it.info.images["yellow"], publish=False),
        {"image of green's function": BOTH},
    ),
    "an image that the alias does not serve": (
        lambda it: it.publish("blue", it.info.images["yellow"]),
        {"image of blue's function": BOTH, "newest version of blue's function": PLAN},
    ),
    "both aliases": (
        _move_both_aliases,
        {
            "image of blue's function": BOTH,
            "newest version of blue's function": PLAN,
            "image that blue's alias serves": VERIFY,
            "version that blue's alias points to": BOTH,
            "image that green's alias serves": VERIFY,
            "version that green's alias points to": BOTH,
        },
    ),
    "the same image published anew": (
        lambda it: it.set_alias("green", _republish(it)),
        {"newest version of green's function": PLAN, "version that green's alias points to": BOTH},
    ),
    "the other colour as a target": (
        lambda it: it.set_target("green", alias_arn(it, "blue")),
        {"targets of green's group": PLAN, "alias that green's group calls": VERIFY},
    ),
    "a target without its alias": (
        lambda it: it.set_target("blue", alias_arn(it, "blue").removesuffix(f":{ALIAS}")),
        {"targets of blue's group": PLAN, "alias that blue's group calls": VERIFY},
    ),
    "no target": (
        lambda it: it.set_target("blue"),
        {"targets of blue's group": PLAN, "number of targets of blue's group": VERIFY},
    ),
}


def _republish(service: Installed) -> str:
    """Lambda publishes nothing new for code that has not changed: there and back makes two versions more."""
    service.publish("green", service.info.images["yellow"])
    return service.publish("green", service.info.images["green"])


@pytest.mark.parametrize("name", BY_HAND)
def test_what_was_changed_by_hand_is_named_before_an_apply_and_after_it(service, name):
    plan = plan_of(service)
    change, named = BY_HAND[name]
    change(service)
    found = differences_from_plan(plan, read_reality(service.row), expectation(service))
    assert {difference.what for difference in found} == {what for what, by in named.items() if by != VERIFY}
    assert found_afterwards(service) == {what for what, by in named.items() if by != PLAN}


def test_an_alias_that_leads_to_two_versions_is_not_taken_for_either(service):
    service.functions.update_alias(
        FunctionName=service.row.green_function_name,
        Name=ALIAS,
        RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}},
    )
    with pytest.raises(AwsError, match="leads to version 2 and also to 1"):
        read_reality(service.row)


def test_a_rule_that_is_gone_is_said(service):
    service.elbv2.delete_rule(RuleArn=service.row.canary_rule_arn)
    with pytest.raises(AwsError, match="does not have it"):
        read_reality(service.row)
