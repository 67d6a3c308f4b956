from dataclasses import replace

import pytest

from releases.domain.plans.expectation import Expectation
from releases.domain.plans.guard import check_plan
from releases.domain.tests.real_plans import (
    BLUE_FUNCTION,
    GREEN_GROUP,
    PREFIX,
    TRAFFIC,
    Document,
    change_of,
    document,
    expectation,
    resource,
)
from releases.domain.traffic import Transition
from terraform_runner.domain.plan import parse_plan

GROUP = f"{PREFIX}aws_lb_target_group.green"


def removal() -> Document:
    """What is there after a promotion, all of it to be destroyed."""
    shown = document("promote")
    shown["resource_changes"] = [one for one in shown["resource_changes"] if one["mode"] == "managed"]
    for item in shown["resource_changes"]:
        item["action_reason"] = "delete_because_no_resource_config"
        item["change"] |= {
            "actions": ["delete"],
            "after": None,
            "after_unknown": {},
            "after_sensitive": False,
        }
    return shown


def expected() -> Expectation:
    made = expectation("promote")
    return replace(made, transition=Transition.REMOVE, after=made.before, settings=None)


def reasons(shown: Document) -> list[str]:
    return [str(refusal) for refusal in check_plan(parse_plan(shown), expected())]


def test_the_deletion_of_all_that_is_the_services_is_accepted():
    shown = removal()
    assert len(shown["resource_changes"]) == 14
    assert reasons(shown) == []


@pytest.mark.parametrize("left", [0, 1, 7])
def test_what_an_earlier_try_has_destroyed_is_not_missed(left):
    shown = removal()
    shown["resource_changes"] = shown["resource_changes"][:left]
    assert reasons(shown) == []


def test_a_set_up_that_never_learned_its_addresses_can_be_removed():
    unknown = replace(expected(), blue_target_group_arn="", green_target_group_arn="")
    assert check_plan(parse_plan(removal()), unknown) == ()


@pytest.mark.parametrize(
    "actions",
    [["no-op"], ["update"], ["create"], ["delete", "create"], ["create", "delete"], ["forget"], ["read"]],
)
def test_a_removal_does_nothing_but_delete(actions):
    shown = removal()
    change_of(shown, BLUE_FUNCTION)["actions"] = actions
    assert f"{BLUE_FUNCTION}: would not be deleted, and a removal does nothing else." in reasons(shown)


@pytest.mark.parametrize(
    "address",
    [
        "aws_lambda_function.blue",
        "module.other.aws_lambda_function.blue",
        f"{PREFIX}aws_lambda_function.old",
        f"{PREFIX}aws_lambda_function.blue[0]",
        f"{PREFIX}aws_lb.this",
        f"{PREFIX}aws_lb_listener.https",
    ],
)
def test_what_is_not_the_services_own_is_never_deleted(address):
    shown = removal()
    resource(shown, BLUE_FUNCTION)["address"] = address
    assert f"{address}: does not belong to the service." in reasons(shown)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("type", "aws_lb", "is not what its address says"),
        ("module_address", "module.other", "is not what its address says"),
        ("mode", "data", "is not what its address says"),
        (
            "provider_name",
            "registry.terraform.io/evil/aws",
            "comes from the provider registry.terraform.io/evil/aws",
        ),
        ("action_reason", "delete_because_count_index", "for a reason of Terraform's own"),
        ("action_reason", None, "for a reason of Terraform's own"),
        ("deposed", "0a1b2c3d", "an old copy of it is left over"),
        ("previous_address", "aws_lambda_function.old", "move from another address"),
    ],
)
def test_a_deletion_that_is_not_a_removals_is_refused(key, value, said):
    shown = removal()
    resource(shown, BLUE_FUNCTION)[key] = value
    assert any(said in reason for reason in reasons(shown))


def test_the_state_of_another_service_is_not_destroyed():
    shown = removal()
    change_of(shown, GROUP)["before"]["arn"] = GREEN_GROUP.replace("green", "theirs")
    assert reasons(shown) == [f"{GROUP}: is not the target group that is recorded for this service."]


def test_a_rule_that_forwards_elsewhere_is_not_destroyed():
    shown = removal()
    group = change_of(shown, TRAFFIC)["before"]["action"][0]["forward"][0]["target_group"][0]
    group["arn"] = "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/theirs/1"
    assert reasons(shown) == [f"{TRAFFIC}: forwards to target groups that are not this service's."]


def test_a_rule_of_an_unknown_shape_is_not_destroyed():
    shown = removal()
    change_of(shown, TRAFFIC)["before"]["action"] = "forward"
    assert reasons(shown) == [f"{TRAFFIC}: has a shape that the guard does not know."]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("errored", True),
        ("complete", False),
        ("checks", [{"address": {"to_display": "x"}, "status": "fail"}]),
    ],
)
def test_a_plan_that_is_not_whole_is_refused(key, value):
    assert reasons({**removal(), key: value})


@pytest.mark.parametrize("other", [one for one in Transition if one is not Transition.REMOVE])
def test_no_other_transition_may_delete_anything(other):
    made = replace(expected(), transition=other)
    found = [str(refusal) for refusal in check_plan(parse_plan(removal()), made)]
    assert f"{BLUE_FUNCTION}: would be deleted: a release never deletes anything." in found
