from copy import deepcopy
from typing import Any

from releases.domain.plans.plan_difference import UNCHANGED, PlanDifference, differences


def attribute(path, before, after, **more):
    return {"path": path, "before": before, "after": after, "unknown": False, "sensitive": False, **more}


RULE: dict[str, Any] = {
    "address": "module.service.aws_lb_listener_rule.traffic",
    "actions": ["update"],
    "attributes": [attribute("weight[0]", 100, 90), attribute("weight[1]", 0, 10)],
}


def test_two_plans_with_the_same_changes_do_not_differ():
    assert differences([RULE], [deepcopy(RULE)]) == ()


def test_an_attribute_that_becomes_something_else_is_told_with_both():
    other = deepcopy(RULE)
    other["attributes"][1]["after"] = 25
    assert differences([RULE], [other]) == (
        PlanDifference(address=RULE["address"], path="weight[1]", seen="0 → 10", present="0 → 25"),
    )


def test_what_only_one_of_them_changes_is_told_with_its_action():
    address = "module.service.aws_lambda_function.green"
    more = {
        "address": address,
        "actions": ["delete", "create"],
        "attributes": [attribute("arn", "a", None, unknown=True)],
    }
    assert differences([RULE], [RULE, more]) == (
        PlanDifference(address=address, path="", seen=UNCHANGED, present="delete, create"),
        PlanDifference(address=address, path="arn", seen=UNCHANGED, present="a → known after the apply"),
    )
    assert differences([RULE, more], [RULE])[0].present == UNCHANGED


def test_a_secret_is_never_told():
    secret = {**RULE, "attributes": [attribute("password", "old", "new", sensitive=True)]}
    assert differences([], [secret])[1].present == "changed (hidden)"
