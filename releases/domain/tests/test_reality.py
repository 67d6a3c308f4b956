from dataclasses import replace
from typing import Any

import pytest

from releases.domain.canary import CanaryHeader
from releases.domain.observed.reality import (
    ColorReality,
    Difference,
    Reality,
    differences_from_plan,
    gains_traffic,
    is_waking,
    not_ready,
    verify,
)
from releases.domain.observed.rule_reality import RuleReality
from releases.domain.plans.expectation import CANARY_RULE, HEADER_RULE, SLOT_RULES, TRAFFIC_RULE, Expectation
from releases.domain.tests.real_plans import BLUE_GROUP, GREEN_GROUP, GREEN_IMAGE, expectation, plan
from releases.domain.traffic import NOBODY, Color, TrafficState, Transition

EVERYWHERE = frozenset({"/*"})
ADDRESSES = frozenset({"127.0.0.9/32"})
OTHER_DIGEST = "sha256:" + "0" * 64


def rule(blue: int, green: int, **changed: Any) -> RuleReality:
    plain = RuleReality(
        weights={BLUE_GROUP: blue, GREEN_GROUP: green},
        source_ips=frozenset(),
        hostnames=frozenset(),
        paths=EVERYWHERE,
        priority=200,
        stickiness_seconds=0,
        headers={},
        other_conditions=frozenset(),
    )
    return replace(plain, **changed)


def color(name: str, version: str, digest: str) -> ColorReality:
    return ColorReality(
        function_name=f"nginx-lambda-{name}",
        alias_version=version,
        alias_digest=digest,
        latest_digest=digest,
        newest_version=version,
        targets=(f"arn:aws:lambda:eu-central-1:123456789012:function:nginx-lambda-{name}:live",),
        callers=frozenset({BLUE_GROUP if name == "blue" else GREEN_GROUP}),
        state="Active",
        update_status="Successful",
        latest_state="Active",
        last_update_status="Successful",
    )


def reality(state: TrafficState, *, green_version: str = "2") -> Reality:
    """What is real when everything is as this state of the first release says."""
    addresses = ADDRESSES if state.activate_canary else frozenset({NOBODY})
    return Reality(
        rules={
            TRAFFIC_RULE: rule(100 - state.green_weight, state.green_weight),
            CANARY_RULE: rule(0, 100, source_ips=addresses, priority=199),
        },
        blue=color("blue", "1", state.blue.digest),
        green=color("green", green_version, state.green.digest),
    )


def changed(real: Reality, part: str, **values: Any) -> Reality:
    name = RULES.get(part)
    if name:
        return replace(real, rules={**real.rules, name: replace(real.rules[name], **values)})
    parts: dict[str, Any] = {part: replace(getattr(real, part), **values)}
    return replace(real, **parts)


RULES = {"traffic": TRAFFIC_RULE, "canary": CANARY_RULE, "slot": SLOT_RULES[1], "header": HEADER_RULE}
WRONG = [
    ("traffic", {"weights": {BLUE_GROUP: 0, GREEN_GROUP: 0}}, "weights of the traffic rule"),
    ("traffic", {"weights": {BLUE_GROUP: 75, GREEN_GROUP: 25, "third": 0}}, "weights of the traffic rule"),
    ("traffic", {"weights": {BLUE_GROUP: 100}}, "weights of the traffic rule"),
    ("traffic", {"source_ips": ADDRESSES}, "source addresses of the traffic rule"),
    ("canary", {"weights": {BLUE_GROUP: 100, GREEN_GROUP: 0}}, "weights of the canary rule"),
    ("canary", {"source_ips": frozenset({"10.0.0.0/8"})}, "source addresses of the canary rule"),
    ("canary", {"source_ips": frozenset()}, "source addresses of the canary rule"),
    ("canary", {"hostnames": frozenset({"a.example.com"})}, "hosts of the canary rule"),
    ("canary", {"paths": frozenset({"/x"})}, "paths of the canary rule"),
    ("canary", {"priority": 201}, "priority of the canary rule"),
    ("traffic", {"hostnames": frozenset({"a.example.com"})}, "hosts of the traffic rule"),
    ("traffic", {"paths": frozenset({"/x"})}, "paths of the traffic rule"),
    ("traffic", {"priority": 300}, "priority of the traffic rule"),
    ("traffic", {"headers": {"X-Canary": frozenset({"x"})}}, "header of the traffic rule"),
    ("canary", {"headers": {"X-Canary": frozenset({"x"})}}, "header of the canary rule"),
    ("traffic", {"stickiness_seconds": 60}, "stickiness of the traffic rule"),
    ("canary", {"stickiness_seconds": 60}, "stickiness of the canary rule"),
    ("blue", {"latest_digest": OTHER_DIGEST}, "image of blue's function"),
    ("green", {"latest_digest": OTHER_DIGEST}, "image of green's function"),
    ("blue", {"alias_version": "7"}, "version that blue's alias points to"),
    ("green", {"alias_version": "1"}, "version that green's alias points to"),
]
TARGETS = ("arn:aws:lambda:eu-central-1:123456789012:function:nginx-lambda-blue:live",)
ANOTHER_SERVICE = ("arn:aws:lambda:eu-central-1:123456789012:function:another-green:live",)
WRONG_FOR_THE_PLAN = [
    *WRONG,
    ("green", {"newest_version": "3"}, "newest version of green's function"),
    ("green", {"targets": TARGETS}, "targets of green's group"),
    ("green", {"targets": ()}, "targets of green's group"),
]
WRONG_AFTERWARDS = [
    *WRONG,
    ("traffic", {"other_conditions": frozenset({"query-string"})}, "other conditions of the traffic rule"),
    ("canary", {"other_conditions": frozenset({"query-string"})}, "other conditions of the canary rule"),
    ("blue", {"alias_digest": OTHER_DIGEST}, "image that blue's alias serves"),
    ("green", {"alias_digest": OTHER_DIGEST}, "image that green's alias serves"),
    ("green", {"latest_state": "Inactive"}, "state of green's function"),
    ("green", {"state": "Inactive"}, "state of the version that green serves"),
    ("green", {"update_status": "InProgress"}, "last update of the version that green serves"),
    ("green", {"callers": frozenset()}, "permission of the load balancer to call green"),
    ("blue", {"callers": frozenset({GREEN_GROUP})}, "permission of the load balancer to call blue"),
    ("blue", {"last_update_status": "Failed"}, "last update of blue's function"),
    ("green", {"targets": ()}, "number of targets of green's group"),
    ("green", {"targets": TARGETS}, "alias that green's group calls"),
    ("green", {"targets": ANOTHER_SERVICE}, "alias that green's group calls"),
]

SHIFT = expectation("shift_up")


def test_a_plan_is_still_true_while_nothing_has_changed():
    assert differences_from_plan(plan("shift_up"), reality(SHIFT.before), SHIFT) == ()


@pytest.mark.parametrize(("part", "values", "what"), WRONG_FOR_THE_PLAN)
def test_whatever_was_changed_between_plan_and_apply_is_found(part, values, what):
    real = changed(reality(SHIFT.before), part, **values)
    assert [found.what for found in differences_from_plan(plan("shift_up"), real, SHIFT)] == [what]


def test_a_rotation_is_compared_with_what_it_starts_from():
    expected = expectation("first_rotation")
    before = reality(expected.before, green_version="1")
    assert differences_from_plan(plan("first_rotation"), before, expected) == ()
    applied = reality(expected.after)
    assert len(differences_from_plan(plan("first_rotation"), applied, expected)) == 3


def test_a_set_up_has_nothing_to_be_compared_with():
    expected = expectation("set_up")
    assert differences_from_plan(plan("set_up"), reality(expected.after), expected) == ()


VERSIONS = {Color.BLUE: "1", Color.GREEN: "2"}


def test_reality_that_is_as_wanted_verifies():
    assert verify(SHIFT.after, SHIFT, reality(SHIFT.after), versions_before=VERSIONS) == ()


@pytest.mark.parametrize(("part", "values", "what"), WRONG_AFTERWARDS)
def test_whatever_is_not_as_wanted_afterwards_is_found(part, values, what):
    real = changed(reality(SHIFT.after), part, **values)
    found = verify(SHIFT.after, SHIFT, real, versions_before=VERSIONS)
    assert [difference.what for difference in found] == [what]


def test_a_difference_is_said_in_words():
    real = changed(reality(SHIFT.after), "canary", source_ips=frozenset())
    (found,) = verify(SHIFT.after, SHIFT, real, versions_before=VERSIONS)
    assert str(found) == (
        "source addresses of the canary rule: expected 127.0.0.9/32, found nobody in particular"
    )
    assert found == Difference(
        what="source addresses of the canary rule", expected="127.0.0.9/32", found="nobody in particular"
    )


def test_weights_are_said_by_target_group():
    real = changed(reality(SHIFT.after), "traffic", weights={BLUE_GROUP: 100, GREEN_GROUP: 0})
    (found,) = verify(SHIFT.after, SHIFT, real, versions_before=VERSIONS)
    assert found.found == f"{BLUE_GROUP} 100, {GREEN_GROUP} 0"


ROTATION = expectation("first_rotation")


def test_a_changed_function_has_to_serve_its_newest_version():
    before = {Color.BLUE: "1", Color.GREEN: "1"}
    real = reality(ROTATION.after)
    assert verify(ROTATION.after, ROTATION, real, versions_before=before) == ()
    behind = changed(real, "green", newest_version="3")
    assert [found.what for found in verify(ROTATION.after, ROTATION, behind, versions_before=before)] == [
        "version that green's alias points to"
    ]


def test_a_published_image_that_the_alias_does_not_serve_is_found():
    """FAULTS W5a: killed between the function's update and its publishing; the next plan says "no changes"."""
    real = changed(reality(ROTATION.before, green_version="1"), "green", latest_digest=GREEN_IMAGE.digest)
    found = verify(ROTATION.after, ROTATION, real, versions_before=real.alias_versions)
    assert [difference.what for difference in found] == ["image that green's alias serves"]


def test_a_set_up_is_verified_without_versions_from_before():
    expected: Expectation = replace(
        expectation("set_up"), blue_target_group_arn=BLUE_GROUP, green_target_group_arn=GREEN_GROUP
    )
    real = reality(expected.after, green_version="1")
    assert verify(expected.after, expected, real, versions_before={}) == ()


def test_after_a_rollback_only_what_serves_has_to_be_right():
    expected = expectation("rollback")
    assert expected.transition is Transition.ROLLBACK
    half_rotated = changed(reality(expected.after), "green", alias_version="1", last_update_status="Failed")
    assert verify(expected.after, expected, half_rotated, versions_before=VERSIONS) == ()
    broken = changed(reality(expected.after), "blue", latest_state="Failed")
    assert [found.what for found in verify(expected.after, expected, broken, versions_before=VERSIONS)] == [
        "state of blue's function"
    ]


GAINING = {
    "first_rotation": (),
    "canary": (Color.GREEN,),
    "shift_up": (Color.GREEN,),
    "rollback": (),
}


@pytest.mark.parametrize(("name", "colors"), GAINING.items())
def test_the_colours_that_are_sent_more_users_or_the_canary_are_known(name, colors):
    assert gains_traffic(expectation(name)) == colors


def test_the_stable_colour_gains_everyone_in_a_rotation():
    promoted = replace(SHIFT.after, green_weight=100).with_canary(False)
    rotation = replace(
        SHIFT,
        transition=Transition.ROTATE_TRAFFIC,
        before=replace(promoted, blue=promoted.green),
        after=replace(promoted, blue=promoted.green, green_weight=0),
    )
    assert gains_traffic(rotation) == (Color.BLUE,)


@pytest.mark.parametrize(
    "values",
    [
        {"state": "Inactive"},
        {"state": "Pending", "latest_state": "Pending"},
        {"latest_state": "Inactive"},
        {"last_update_status": "InProgress"},
    ],
)
def test_what_passes_by_waiting_is_waited_for(values):
    real = changed(reality(SHIFT.before), "green", **values)
    assert is_waking(SHIFT, real) == (Color.GREEN,)
    assert not_ready(SHIFT, real)


@pytest.mark.parametrize(
    "values",
    [
        {"state": "Failed"},
        {"last_update_status": "Failed"},
        {"state": "Inactive", "last_update_status": "Failed"},
        {"callers": frozenset()},
        {"targets": ()},
        {"alias_digest": OTHER_DIGEST},
    ],
)
def test_what_does_not_pass_is_told_and_not_waited_for(values):
    real = changed(reality(SHIFT.before), "green", **values)
    assert is_waking(SHIFT, real) == ()
    assert not_ready(SHIFT, real)


def test_a_group_of_any_name_may_call_where_the_permission_names_none():
    assert not_ready(SHIFT, changed(reality(SHIFT.before), "green", callers=frozenset({"*"}))) == ()


def test_a_colour_that_gains_nobody_holds_nothing_up():
    asleep = changed(reality(SHIFT.before), "blue", state="Inactive", callers=frozenset())
    assert (is_waking(SHIFT, asleep), not_ready(SHIFT, asleep)) == ((), ())


SECRET = "abcdefgh_12345678"
HEADER = CanaryHeader(name="X-Canary", value=SECRET)
MANY = ("127.0.0.9/32", "2001:db8::/48", "203.0.113.7/32", "203.0.113.8/32")
ON = SHIFT.before.with_canary(True, MANY)
WITH_ALL = replace(SHIFT, before=ON, after=ON, canary_slots=2, canary_header=HEADER, stickiness_seconds=3600)


def reality_with_all(state: TrafficState) -> Reality:
    """The same of a service with two slots and a header, with its canary on."""
    real = reality(state)
    rules = {
        **real.rules,
        CANARY_RULE: rule(0, 100, source_ips=frozenset(MANY[:3]), priority=199),
        SLOT_RULES[1]: rule(0, 100, source_ips=frozenset(MANY[3:]), priority=198),
        HEADER_RULE: rule(0, 100, headers={"X-Canary": frozenset({SECRET})}, priority=197),
    }
    return replace(real, rules=rules)


def found_with_all(state: TrafficState, real: Reality) -> list[str]:
    return [difference.what for difference in verify(state, WITH_ALL, real, versions_before=VERSIONS)]


def test_every_rule_of_the_canary_has_its_share_of_the_addresses_and_its_place():
    assert found_with_all(ON, reality_with_all(ON)) == []


@pytest.mark.parametrize(
    ("part", "values", "what"),
    [
        ("slot", {"weights": {BLUE_GROUP: 100, GREEN_GROUP: 0}}, "weights of the canary rule 2"),
        ("slot", {"source_ips": frozenset(MANY[:3])}, "source addresses of the canary rule 2"),
        ("slot", {"priority": 199}, "priority of the canary rule 2"),
        ("header", {"weights": {BLUE_GROUP: 100, GREEN_GROUP: 0}}, "weights of the header rule"),
        ("header", {"source_ips": frozenset({NOBODY})}, "source addresses of the header rule"),
        ("header", {"headers": {}}, "header of the header rule"),
        ("header", {"headers": {"X-Canary": frozenset({"*"})}}, "value of the header of the header rule"),
    ],
)
def test_whatever_is_not_as_wanted_in_the_canary_s_other_rules_is_found(part, values, what):
    assert found_with_all(ON, changed(reality_with_all(ON), part, **values)) == [what]


def test_a_canary_that_is_off_is_nobody_s_in_every_rule():
    off = ON.with_canary(False)
    real = reality_with_all(ON)
    for part in ("canary", "slot", "header"):
        real = changed(real, part, source_ips=frozenset({NOBODY}))
    assert found_with_all(off, real) == []
    assert found_with_all(off, reality_with_all(ON)) == [
        "source addresses of the canary rule",
        "source addresses of the canary rule 2",
        "source addresses of the header rule",
    ]


def test_a_rule_that_is_gone_is_found():
    real = reality_with_all(ON)
    without = replace(real, rules={name: one for name, one in real.rules.items() if name != HEADER_RULE})
    assert found_with_all(ON, without) == ["header rule"]


@pytest.mark.parametrize(("share", "sticky"), [(0, False), (1, True), (50, True), (99, True), (100, False)])
def test_clients_are_kept_on_their_version_only_while_users_are_split(share, sticky):
    state = ON.with_candidate_share(share)
    plain = changed(reality_with_all(ON), "traffic", weights={BLUE_GROUP: 100 - share, GREEN_GROUP: share})
    kept = changed(plain, "traffic", stickiness_seconds=3600)
    wrong = ["stickiness of the traffic rule"]
    assert found_with_all(state, kept) == ([] if sticky else wrong)
    assert found_with_all(state, plain) == (wrong if sticky else [])


def test_the_header_s_value_is_told_to_nobody():
    other = changed(reality_with_all(ON), "header", headers={"X-Canary": frozenset({"other_secret_value"})})
    (difference,) = verify(ON, WITH_ALL, other, versions_before=VERSIONS)
    told = f"{difference} {other} {WITH_ALL}"
    assert "other_secret_value" not in told
    assert SECRET not in told
