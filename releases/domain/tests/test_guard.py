from dataclasses import replace
from typing import Any

import pytest

from releases.domain.plans.guard import Expectation, changes_nothing, check_plan
from releases.domain.tests.real_plans import (
    BLUE_ALIAS,
    BLUE_FUNCTION,
    CANARY,
    GREEN_ALIAS,
    GREEN_FUNCTION,
    GREEN_IMAGE,
    PREFIX,
    ROLE,
    TRAFFIC,
    YELLOW_IMAGE,
    YOU,
    Document,
    change_of,
    document,
    expectation,
    plan,
    resource,
)
from releases.domain.traffic import Color
from terraform_runner.domain.plan import parse_plan


def reasons(shown: Document, expected: Expectation) -> list[str]:
    return [str(refusal) for refusal in check_plan(parse_plan(shown), expected)]


def update(shown: Document, address: str, **after: Any) -> None:
    change = change_of(shown, address)
    change["actions"] = ["update"]
    change["after"] = {**change["after"], **after}


def test_an_empty_plan_is_accepted_where_it_leaves_what_was_wanted():
    assert changes_nothing(plan("shift_lost"))
    assert not changes_nothing(plan("canary"))
    assert reasons(document("shift_lost"), expectation("shift_lost")) == []


def test_an_empty_plan_is_refused_where_something_had_to_change():
    shown, expected = document("canary"), expectation("shift_up")
    change = change_of(shown, CANARY)
    change["actions"], change["before"] = ["no-op"], change["after"]
    assert reasons(shown, expected) == [
        f"{TRAFFIC}, weights: shall be blue 50, green 50, and the plan leaves blue 100, green 0."
    ]


def test_a_plan_that_replaces_is_refused_in_plain_words():
    refused = reasons(document("replaced"), expectation("shift_lost"))
    assert (
        f"{PREFIX}aws_lb_target_group.blue: would be replaced: a release never deletes anything." in refused
    )


def test_a_plan_that_deletes_is_refused_in_plain_words():
    shown = document("canary")
    change_of(shown, ROLE).update(actions=["delete"], after=None)
    assert reasons(shown, expectation("canary")) == [
        f"{ROLE}: would be deleted: a release never deletes anything."
    ]


def test_a_function_with_traffic_may_not_be_touched():
    shown = document("shift_up")
    update(shown, BLUE_FUNCTION, memory_size=256)
    assert reasons(shown, expectation("shift_up")) == [
        f"{BLUE_FUNCTION}, memory_size: would change, while blue receives traffic."
    ]


def test_a_rotation_is_refused_while_the_canary_is_on():
    expected = expectation("first_rotation")
    on = replace(
        expected, before=expected.before.with_canary(True, YOU), after=expected.after.with_canary(True, YOU)
    )
    assert any(
        "source addresses: shall be 127.0.0.9/32" in reason
        for reason in reasons(document("first_rotation"), on)
    )


def test_a_rotation_of_the_other_function_is_refused():
    expected = expectation("rotate_stable")
    wrong = replace(expected, transition=expectation("first_rotation").transition)
    assert (
        f"{BLUE_FUNCTION}, image_uri: would change, and the transition “rotate candidate” may not change it."
        in reasons(document("rotate_stable"), wrong)
    )


def test_another_image_than_the_releases_is_refused():
    shown = document("first_rotation")
    update(shown, GREEN_FUNCTION, image_uri=YELLOW_IMAGE.image)
    assert [
        reason.partition(" shall be ")[0] for reason in reasons(shown, expectation("first_rotation"))
    ] == [f"{GREEN_FUNCTION}, image_uri:"]


def test_an_unknown_image_is_refused():
    shown = document("first_rotation")
    change = change_of(shown, GREEN_FUNCTION)
    change["after_unknown"]["image_uri"] = True
    del change["after"]["image_uri"]
    assert reasons(shown, expectation("first_rotation"))[0].endswith(
        "and the plan leaves what is known only after the apply."
    )


def test_a_weight_changed_by_hand_is_named_as_such():
    expected = expectation("shift_down")
    recorded = replace(expected, before=expected.before.with_candidate_share(30))
    assert reasons(document("shift_down"), recorded) == [
        f"{TRAFFIC}, weights: was changed outside of Bluegreen: recorded is blue 70, green 30, found blue 50, green 50."
    ]


def test_an_image_changed_by_hand_is_found_though_the_plan_agrees_with_it():
    expected = expectation("shift_up")
    recorded = replace(
        expected,
        before=expected.before.with_version(Color.GREEN, YELLOW_IMAGE),
        after=expected.after.with_version(Color.GREEN, YELLOW_IMAGE),
    )
    wanted, found = YELLOW_IMAGE.image, GREEN_IMAGE.image
    assert reasons(document("shift_up"), recorded) == [
        f"{GREEN_FUNCTION}, image_uri: shall be {wanted}, and the plan leaves {found}.",
        f"{GREEN_FUNCTION}, image_uri: was changed outside of Bluegreen: recorded is {wanted}, found {found}.",
    ]


def test_a_rest_of_a_step_is_accepted_after_its_run_was_lost():
    """Promotion: the traffic rule was changed before the worker died, the canary rule wasn't."""
    shown = document("promote")
    change = change_of(shown, TRAFFIC)
    change["actions"], change["before"] = ["no-op"], change["after"]
    assert reasons(shown, expectation("promote")) == []


def test_an_alias_that_was_left_behind_is_caught_up_by_the_rotation():
    shown = document("first_rotation")
    function = change_of(shown, GREEN_FUNCTION)
    published = {**function["before"], "image_uri": function["after"]["image_uri"], "version": "2"}
    function.update(actions=["no-op"], before=published, after=published, after_unknown={})
    alias = change_of(shown, GREEN_ALIAS)
    alias.update(after={**alias["after"], "function_version": "2"}, after_unknown={})
    assert reasons(shown, expectation("first_rotation")) == []
    alias["after"]["function_version"] = "7"
    assert reasons(shown, expectation("first_rotation")) == [
        f"{GREEN_ALIAS}, function_version: would not be the version of green's function."
    ]


@pytest.mark.parametrize(("share", "accepted"), [(0, True), (10, False)])
def test_a_rollback_catches_up_an_alias_only_of_a_colour_without_traffic(share, accepted):
    shown, expected = document("rollback"), expectation("rollback")
    function = change_of(shown, GREEN_FUNCTION)
    for side in ("before", "after"):
        function[side]["version"] = "3"
    update(shown, GREEN_ALIAS, function_version="3")
    before = expected.before.with_candidate_share(share).with_canary(False)
    assert (reasons(shown, replace(expected, before=before)) == []) is accepted


def test_a_rollback_starts_from_whatever_is_real():
    shown = document("rollback")
    groups = change_of(shown, TRAFFIC)["before"]["action"][0]["forward"][0]["target_group"]
    groups[0]["weight"], groups[1]["weight"] = 3, 97
    assert reasons(shown, expectation("rollback")) == []


def test_a_rollback_changes_no_image():
    shown = document("rollback")
    change_of(shown, GREEN_FUNCTION)["before"]["image_uri"] = YELLOW_IMAGE.image
    change_of(shown, GREEN_FUNCTION)["actions"] = ["update"]
    assert reasons(shown, expectation("rollback")) == [
        f"{GREEN_FUNCTION}, image_uri: would change, while green receives traffic."
    ]


def test_a_swap_may_exchange_the_canarys_weights_and_nothing_else():
    shown, expected = document("swap_colors"), expectation("swap_colors")
    update(shown, TRAFFIC, tags={"owner": "x"})
    assert reasons(shown, expected) == [
        f"{TRAFFIC}, tags: would change, and the transition “rotate swap” may not change it."
    ]
    function = document("swap_colors")
    update(function, BLUE_FUNCTION, image_uri=YELLOW_IMAGE.image)
    assert reasons(function, expected)[0] == (
        f"{BLUE_FUNCTION}, image_uri: would change, and the transition “rotate swap” may not change it."
    )


@pytest.mark.parametrize("share", [0, 50])
def test_a_swap_that_would_move_users_is_refused(share):
    shown = document("swap_colors")
    groups = change_of(shown, TRAFFIC)["after"]["action"][0]["forward"][0]["target_group"]
    for group, weight in zip(groups, (100 - share, share), strict=True):
        group["weight"] = weight
    change_of(shown, TRAFFIC)["actions"] = ["update"]
    assert (
        f"{TRAFFIC}, weights: would change, and the transition “rotate swap” may not change it."
        in reasons(shown, expectation("swap_colors"))
    )


def test_a_swap_while_the_canary_is_on_is_refused():
    expected = expectation("swap_colors")
    on = replace(expected, before=expected.before.with_canary(True))
    shown = document("swap_colors")
    change_of(shown, CANARY)["after"]["condition"][1]["source_ip"][0]["values"] = ["127.0.0.9/32"]
    assert any("source addresses: would change" in reason for reason in reasons(shown, on))


def test_with_swapped_colours_a_share_is_never_taken_for_greens_weight():
    """10 % on the candidate is 90 for green: a plan that gives green 10 would send 90 % to the new version."""
    shown = document("swapped_shift_down")
    groups = change_of(shown, TRAFFIC)["after"]["action"][0]["forward"][0]["target_group"]
    groups[0]["weight"], groups[1]["weight"] = groups[1]["weight"], groups[0]["weight"]
    assert reasons(shown, expectation("swapped_shift_down")) == [
        f"{TRAFFIC}, weights: shall be blue 10, green 90, and the plan leaves blue 90, green 10."
    ]


def test_an_alias_that_becomes_unknown_has_to_follow_its_own_function():
    shown = document("first_rotation")
    module = shown["configuration"]["root_module"]["module_calls"]["service"]["module"]
    for alias in module["resources"]:
        alias["expressions"]["function_version"]["references"] = [
            "aws_lambda_function.blue.version",
            "aws_lambda_function.blue",
        ]
    assert reasons(shown, expectation("first_rotation")) == [
        f"{GREEN_ALIAS}, function_version: is not set from green's function."
    ]


def test_an_alias_may_not_become_unknown_without_its_function():
    shown = document("first_rotation")
    function = change_of(shown, GREEN_FUNCTION)
    done = {**function["before"], "image_uri": function["after"]["image_uri"]}
    function.update(actions=["no-op"], before=done, after=done, after_unknown={})
    assert reasons(shown, expectation("first_rotation")) == [
        f"{GREEN_ALIAS}, function_version: would not be the version of green's function."
    ]


def test_a_function_may_not_be_published_without_an_update():
    shown = document("first_rotation")
    function = change_of(shown, GREEN_FUNCTION)
    function["before"]["image_uri"] = function["after"]["image_uri"]
    assert (
        f"{GREEN_FUNCTION}, version: would change by itself, without an update of the function."
        in reasons(shown, expectation("first_rotation"))
    )


def test_a_rule_of_another_shape_is_refused_and_not_misread():
    shown = document("shift_up")
    change_of(shown, TRAFFIC)["after"]["action"] = "forward"
    assert f"{TRAFFIC}: has a shape that the guard does not know." in reasons(shown, expectation("shift_up"))


def test_a_rule_that_needs_two_addresses_at_once_is_not_one_that_takes_either():
    expected = expectation("canary")
    expected = replace(expected, after=expected.before.with_canary(True, ("127.0.0.8/32", "127.0.0.9/32")))
    shown = document("canary")
    conditions = change_of(shown, CANARY)["after"]["condition"]
    conditions.append({**conditions[1], "source_ip": [{"values": ["127.0.0.8/32"]}]})
    assert any("shall be 127.0.0.8/32 127.0.0.9/32" in reason for reason in reasons(shown, expected))
    conditions.pop()
    conditions[1]["source_ip"] = [{"values": ["127.0.0.9/32", "127.0.0.8/32"]}]
    assert reasons(shown, expected) == []


def test_reading_data_passes_and_a_false_data_source_does_not():
    shown = document("canary")
    data = {
        **resource(shown, ROLE),
        "address": f"{PREFIX}data.aws_lb.this[0]",
        "mode": "data",
        "type": "aws_lb",
        "name": "this",
    }
    data["change"] = {**data["change"], "actions": ["read"], "before": None}
    shown["resource_changes"].append(data)
    assert reasons(shown, expectation("canary")) == []
    data["address"] = f"{PREFIX}aws_lb.this"
    assert f"{PREFIX}aws_lb.this: does not belong to the service." in reasons(shown, expectation("canary"))


def test_a_plan_of_a_newer_program_is_accepted_unless_it_has_what_is_not_known():
    shown = document("canary")
    for key in ("applyable", "complete"):
        del shown[key]
    shown["action_invocations"] = []
    assert reasons(shown, expectation("canary")) == []
    shown["action_invocations"] = [{"address": "action.aws_lambda_invoke.x"}]
    assert reasons(shown, expectation("canary")) == [
        "The plan has something that the guard does not know: action_invocations."
    ]


def test_the_alias_of_the_stable_colour_may_not_move_during_a_shift():
    shown = document("shift_up")
    update(shown, BLUE_ALIAS, function_version="2")
    assert reasons(shown, expectation("shift_up")) == [
        f"{BLUE_ALIAS}, function_version: would change, while blue receives traffic."
    ]
