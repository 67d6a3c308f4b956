import pytest

from releases.domain.plans.guard import check_plan
from releases.domain.tests.real_plans import (
    BLUE_ALIAS,
    BLUE_FUNCTION,
    CANARY,
    GREEN_FUNCTION,
    PREFIX,
    ROLE,
    TRAFFIC,
    Document,
    change_of,
    document,
    expectation,
    resource,
)
from terraform_runner.domain.plan import parse_plan

POLICY = f"{PREFIX}aws_iam_role_policy_attachment.vpc_access[0]"
BLUE_SIDE = [
    f"{PREFIX}{kind}.blue"
    for kind in (
        "aws_lambda_function",
        "aws_lambda_alias",
        "aws_lb_target_group",
        "aws_lambda_permission",
        "aws_lb_target_group_attachment",
    )
]


def reasons(shown: Document) -> list[str]:
    return [str(refusal) for refusal in check_plan(parse_plan(shown), expectation("set_up"))]


def resumed(*addresses: str) -> Document:
    """A set-up in which these are there already: as a later plan shows them, before the first rotation."""
    shown, later = document("set_up"), document("first_rotation")
    kept = [item for item in shown["resource_changes"] if item["address"] not in addresses]
    shown["resource_changes"] = kept + [resource(later, address) for address in addresses]
    return shown


@pytest.mark.parametrize(
    "there",
    [
        [ROLE],
        [ROLE, POLICY],
        [ROLE, POLICY, *BLUE_SIDE],
        [ROLE, POLICY, *BLUE_SIDE, TRAFFIC],
        [*BLUE_SIDE],
    ],
)
def test_a_set_up_that_did_not_finish_goes_on(there):
    assert reasons(resumed(*there)) == []


def test_what_is_there_already_is_left_alone():
    shown = resumed(*BLUE_SIDE)
    change_of(shown, BLUE_FUNCTION)["after"]["description"] = "Blue"
    change_of(shown, BLUE_ALIAS)["after_unknown"] = {"function_version": True}
    assert reasons(shown) == [
        f"{BLUE_FUNCTION}: differs, though Terraform says that nothing is done.",
        f"{BLUE_ALIAS}: differs, though Terraform says that nothing is done.",
    ]


def test_what_is_there_already_is_not_updated():
    shown = resumed(*BLUE_SIDE)
    change_of(shown, BLUE_FUNCTION)["actions"] = ["update"]
    assert f"{BLUE_FUNCTION}: would be updated: the transition “set up” may not do that." in reasons(shown)


def test_both_colours_have_to_be_the_same():
    shown = document("set_up")
    change_of(shown, GREEN_FUNCTION)["after"]["description"] = "Green"
    assert reasons(shown) == [f"{GREEN_FUNCTION}, description: does not mirror blue's."]


def test_an_alias_has_to_follow_its_own_function():
    shown = document("set_up")
    module = shown["configuration"]["root_module"]["module_calls"]["service"]["module"]
    module["resources"] = []
    assert [reason.rpartition(": ")[2] for reason in reasons(shown)] == [
        "is not set from its own function."
    ] * 2


def test_the_canary_is_off_and_everyone_is_on_one_colour():
    shown = document("set_up")
    rule = change_of(shown, CANARY)["after"]
    rule["condition"][1]["source_ip"][0]["values"] = ["0.0.0.0/0"]
    for group in change_of(shown, TRAFFIC)["after"]["action"][0]["forward"][0]["target_group"]:
        group["weight"] = 50
    assert reasons(shown)[:2] == [
        f"{TRAFFIC}, weights: shall be 0, 100, and the plan makes it 50, 50.",
        f"{CANARY}, source addresses: shall be 192.0.2.1/32, and the plan makes it 0.0.0.0/0.",
    ]


def test_both_rules_have_to_be_unknown_in_the_same():
    shown = document("set_up")
    del change_of(shown, CANARY)["after_unknown"]["arn"]
    assert reasons(shown) == [f"{CANARY}: differs from the traffic rule's in what is unknown."]
