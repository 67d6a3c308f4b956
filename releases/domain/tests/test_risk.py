from typing import Any

import pytest

from releases.domain.plans.risk import PlanFacts, RiskWord, kinds_of, risk

ROUTINE, LOOK, DESTRUCTIVE = RiskWord.ROUTINE, RiskWord.NEEDS_A_LOOK, RiskWord.DESTRUCTIVE
WEIGHT = "action[0].forward[0].target_group[1].weight"


def change(*actions: str, path: str = WEIGHT, address: str = "aws_lb_listener_rule.traffic", **more: Any):
    attribute = {"path": path, "before": 0, "after": 10}
    return {"address": address, "actions": list(actions), "attributes": [attribute], **more}


USUAL = kinds_of([change("update")])


def risk_of(*changes, earlier=(USUAL, USUAL), **facts):
    return risk(PlanFacts(changes=changes, earlier=earlier, **{"environment": "production", **facts}))


@pytest.mark.parametrize(
    ("actions", "word", "reason"),
    [
        ([], ROUTINE, "It changes nothing."),
        ([["no-op"], ["read"]], ROUTINE, "It changes nothing."),
        ([["update"]], ROUTINE, "It changes 1 resource in place, as the last 2 releases did."),
        ([["update"], ["no-op"], ["update"]], ROUTINE, "It changes 2 resources in place, as the last 2"),
        ([["create"], ["create"], ["update"]], LOOK, "It creates 2 resources."),
        ([["update"], ["delete"]], DESTRUCTIVE, "It deletes or replaces 1 resource."),
        ([["create", "delete"], ["delete", "create"]], DESTRUCTIVE, "It deletes or replaces 2 resources."),
    ],
)
def test_the_word_is_that_of_the_worst_that_a_plan_does(actions, word, reason):
    answer = risk_of(*(change(*action) for action in actions))
    assert answer.word is word
    assert answer.reason.startswith(reason)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"changed_outside": True}, "Something was changed outside Bluegreen"),
        ({"tag_moved": True}, "Its tag was moved to another image"),
        ({"configuration": ["memory", "environment LOG"]}, "configuration changes too: memory, environment"),
        ({"jump": 51}, "In production it moves 51 % of all users at once."),
        ({"earlier": None}, "It belongs to no release"),
        ({"earlier": ()}, "No release of this service has done this step before."),
        ({"earlier": [frozenset({"x"})]}, "The last release did not change action.forward.target_group"),
    ],
)
def test_what_somebody_should_look_at_is_said(facts, reason):
    answer = risk_of(change("update"), **facts)
    assert answer.word is LOOK
    assert reason in answer.reason


@pytest.mark.parametrize("facts", [{"jump": 50}, {"jump": -100}, {"jump": 100, "environment": "staging"}])
def test_a_usual_jump_or_one_elsewhere_than_in_production_is_routine(facts):
    assert risk_of(change("update"), **facts).word is ROUTINE


def test_all_reasons_for_a_look_are_named():
    reason = risk_of(change("create"), tag_moved=True, jump=90).reason
    assert [words in reason for words in ("creates 1", "Its tag was moved", "moves 90 %")] == [True] * 3


def test_something_destroyed_is_not_hidden_among_five_thousand_changes():
    plan = [change("update")] * 4_999 + [change("delete")]
    assert risk_of(*plan) == (DESTRUCTIVE, "It deletes or replaces 1 resource.")


def test_what_is_taken_over_needs_a_look_though_nothing_else_is_done_with_it():
    assert "It takes over 1 resource" in risk_of(change("no-op", importing="/aws/lambda/x")).reason


def test_characters_that_hide_something_need_a_look():
    attribute = {"path": "environment", "before": "safe", "after": "exe\u202efdp"}
    plan = {**change("update"), "attributes": [attribute]}
    assert "characters that cannot be seen" in risk_of(plan, earlier=[kinds_of([plan])]).reason


def test_the_same_change_is_of_one_kind_wherever_it_stands_and_on_either_colour():
    blue = change("update", path="image_uri", address="module.service.aws_lambda_function.blue")
    green = change("update", path="image_uri", address="module.service.aws_lambda_function.green")
    first, second = change("update", path="action[0].order"), change("update", path="action[3].order")
    assert kinds_of([blue]) == kinds_of([green])
    assert kinds_of([first]) == kinds_of([second])
    assert risk_of(green, earlier=[kinds_of([blue])]).word is ROUTINE


def test_of_several_unusual_kinds_one_is_named_and_the_others_are_counted():
    answer = risk_of(change("update", path="tags.a"), change("update", path="tags.b"))
    assert answer.reason == (
        "The last 2 releases did not change tags.a of aws_lb_listener_rule.traffic and 1 more."
    )
