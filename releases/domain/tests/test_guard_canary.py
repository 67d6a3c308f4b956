"""The guard over every rule of a canary: each slot, the header, and stickiness."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from releases.domain.canary import CanaryHeader
from releases.domain.plans.guard import check_plan
from releases.domain.tests.canary_plans import (
    ADDRESSES,
    HEADER,
    SECRET,
    SLOT,
    WITH_ALL,
    document_with_all,
    expectation_with_all,
)
from releases.domain.tests.mutations import leaves, replace_at
from releases.domain.tests.real_plans import CANARY, TRAFFIC, Document, change_of, document, expectation
from releases.domain.traffic import NOBODY
from terraform_runner.domain.plan import parse_plan


def reasons(shown: Document, name: str, **changed: Any) -> list[str]:
    expected = replace(expectation_with_all(name), **changed)
    return [str(refusal) for refusal in check_plan(parse_plan(shown), expected)]


def condition(shown: Document, address: str, kind: str, side: str = "after") -> dict[str, Any]:
    """The one condition of a kind that a rule has."""
    conditions = change_of(shown, address)[side]["condition"]
    (found,) = [block for one in conditions for block in one[kind]]
    return found


@pytest.mark.parametrize("name", WITH_ALL)
def test_a_good_plan_of_every_rule_is_accepted(name):
    assert reasons(document_with_all(name), name) == []


@pytest.mark.parametrize("name", WITH_ALL)
@pytest.mark.parametrize("address", [SLOT, HEADER])
def test_a_rule_that_is_missing_is_found(name, address):
    shown = document_with_all(name)
    shown["resource_changes"] = [item for item in shown["resource_changes"] if item["address"] != address]
    assert reasons(shown, name) == [
        f"{address}: is missing: every resource of the service has to be in the plan."
    ]


@pytest.mark.parametrize("address", [SLOT, HEADER])
def test_a_rule_that_the_service_does_not_have_is_not_its_own(address):
    shown = document_with_all("canary")
    plain = check_plan(parse_plan(shown), expectation("canary"))
    assert f"{address}: does not belong to the service." in map(str, plain)


@pytest.mark.parametrize("name", ["set_up", "canary", "shift_up", "promote", "swap_colors"])
@settings(max_examples=40)
@given(data=st.data())
def test_a_good_plan_with_one_thing_changed_in_one_of_the_rules_is_refused(name, data):
    shown = document_with_all(name)
    address = data.draw(st.sampled_from([SLOT, HEADER]))
    after = change_of(shown, address)["after"]
    meaningful = [path for path in leaves(after) if "stickiness" not in path]
    path = data.draw(st.sampled_from(meaningful))
    replace_at(after, path)
    assert reasons(shown, name), path


def test_addresses_in_another_slot_than_the_module_s_are_refused():
    shown = document_with_all("canary")
    condition(shown, CANARY, "source_ip")["values"] = list(ADDRESSES[1:])
    condition(shown, SLOT, "source_ip")["values"] = [ADDRESSES[0]]
    assert reasons(shown, "canary") == [
        f"{CANARY}, source addresses: shall be {' '.join(sorted(ADDRESSES[:3]))}, and the plan leaves "
        f"{' '.join(sorted(ADDRESSES[1:]))}.",
        f"{SLOT}, source addresses: shall be {ADDRESSES[3]}, and the plan leaves {ADDRESSES[0]}.",
    ]


def test_a_slot_without_addresses_is_nobody_s_while_the_canary_is_on():
    shown, expected = document_with_all("canary"), expectation_with_all("canary")
    after = expected.after.with_canary(True, ADDRESSES[:3])
    assert len(reasons(shown, "canary", after=after)) == 1
    condition(shown, SLOT, "source_ip")["values"] = [NOBODY]
    change_of(shown, SLOT)["actions"] = ["no-op"]
    assert reasons(shown, "canary", after=after) == []


def test_other_addresses_while_the_canary_is_on_are_a_canary_s_run():
    shown, expected = document_with_all("canary"), expectation_with_all("canary")
    for address in (CANARY, HEADER):
        change = change_of(shown, address)
        change["before"], change["actions"] = change["after"], ["no-op"]
    before = expected.after.with_canary(True, ADDRESSES[:3])
    assert reasons(shown, "canary", before=before) == []


def test_a_header_rule_that_is_left_open_when_the_canary_goes_off_is_refused():
    shown = document_with_all("promote")
    change = change_of(shown, HEADER)
    change["after"], change["actions"] = change["before"], ["no-op"]
    assert reasons(shown, "promote") == [
        f"{HEADER}, source addresses: shall be {NOBODY}, and the plan leaves nobody in particular."
    ]


def test_another_value_of_the_header_is_refused_and_neither_is_told():
    other = CanaryHeader(name="X-Canary", value="another_secret_value")
    refused = reasons(document_with_all("shift_up"), "shift_up", canary_header=other)
    assert refused == [
        f"{HEADER}, headers: shall be X-Canary with its own value, and the plan leaves another value.",
        f"{HEADER}, headers: was changed outside of Bluegreen: recorded is X-Canary with its own value, found another "
        "value.",
    ]
    assert SECRET not in str(refused)


def test_a_header_on_a_rule_for_addresses_is_refused():
    shown = document_with_all("canary")
    conditions = change_of(shown, SLOT)["after"]["condition"]
    conditions.append({**conditions[0], "http_header": [{"http_header_name": "X-Y", "values": ["1"]}]})
    assert any(reason.startswith(f"{SLOT}, headers: ") for reason in reasons(shown, "canary"))


@pytest.mark.parametrize("name", ["shift_up", "shift_down"])
def test_stickiness_is_on_while_users_are_split(name):
    shown = document_with_all(name)
    change_of(shown, TRAFFIC)["after"]["action"][0]["forward"][0]["stickiness"] = []
    assert any(reason.startswith(f"{TRAFFIC}, stickiness: shall be 3600") for reason in reasons(shown, name))


@pytest.mark.parametrize("name", ["promote", "rollback"])
def test_stickiness_that_is_left_on_when_everyone_is_on_one_colour_is_refused(name):
    shown = document_with_all(name)
    sticky = change_of(shown, TRAFFIC)["before"]["action"][0]["forward"][0]["stickiness"]
    change_of(shown, TRAFFIC)["after"]["action"][0]["forward"][0]["stickiness"] = sticky
    assert [reason.partition(":")[0] for reason in reasons(shown, name)] == [f"{TRAFFIC}, stickiness"]


def test_stickiness_of_a_service_that_has_none_is_refused():
    shown = document("shift_up")
    forward = change_of(shown, TRAFFIC)["after"]["action"][0]["forward"][0]
    forward["stickiness"] = [{"duration": 60, "enabled": True}]
    refused = check_plan(parse_plan(shown), expectation("shift_up"))
    assert [refusal.attribute for refusal in refused] == ["stickiness"]


def test_the_seconds_of_a_stickiness_that_is_off_may_go():
    shown = document_with_all("canary")
    for side, seconds in (("before", 600), ("after", 0)):
        forward = change_of(shown, TRAFFIC)[side]["action"][0]["forward"][0]
        forward["stickiness"] = [{"duration": seconds, "enabled": False}]
    change_of(shown, TRAFFIC)["actions"] = ["update"]
    assert reasons(shown, "canary") == []
    change_of(shown, TRAFFIC)["after"] = change_of(shown, TRAFFIC)["before"]
    assert reasons(shown, "canary") == [f"{TRAFFIC}: it would be updated, though nothing in it changes."]


def test_a_set_up_has_every_rule_in_its_place():
    shown = document_with_all("set_up")
    change_of(shown, SLOT)["after"]["priority"] = 199
    change_of(shown, HEADER)["after"]["priority"] = 300
    assert reasons(shown, "set_up") == [
        f"{SLOT}, priority: would not be what was asked for.",
        f"{HEADER}, priority: would not be what was asked for.",
    ]
