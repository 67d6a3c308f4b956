"""The guard over the rule of the canary's header: made and changed as was asked for, with nobody sent by it."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from releases.domain.canary import CanaryHeader
from releases.domain.plans.expectation import Expectation
from releases.domain.plans.guard import check_plan
from releases.domain.provisioning.settings import Settings, SettingsChange
from releases.domain.tests.canary_plans import HEADER, SECRET, document_with_all, expectation_with_all
from releases.domain.tests.real_plans import CANARY, Document, change_of, resource
from releases.domain.traffic import Transition
from terraform_runner.domain.plan import parse_plan

OTHER = "0123456789abcdef"
REVEALED = {"token": SECRET, "other": OTHER}
WITHOUT = Settings(canary_slots=2)
WITH = replace(WITHOUT, canary_header_name="X-Canary", canary_header_value="token")
CHANGED = replace(WITH, canary_header_name="X-Tester", canary_header_value="other")
# As Terraform has it for a rule that is made.
UNKNOWN = {"id": True, "arn": True, "tags_all": True, "action": [{"order": True, "forward": [{}]}]}


def expected(before: Settings, after: Settings, **columns: Any) -> Expectation:
    """The step is a settings run of a service at rest, whose canary is off."""
    made = expectation_with_all("canary")
    header = CanaryHeader(
        name=after.canary_header_name or "X-Canary", value=REVEALED[after.canary_header_value or "token"]
    )
    usual = {
        "transition": Transition.SETTINGS,
        "after": made.before,
        "settings": SettingsChange(before=before, after=after),
        "revealed": REVEALED,
        "canary_header": header if after.has_header else None,
        "stickiness_seconds": 0,
    }
    return replace(made, **{**usual, **columns})


def at_rest() -> Document:
    """A plan in which nothing changes."""
    shown = document_with_all("canary")
    shown["resource_changes"] = [one for one in shown["resource_changes"] if one["mode"] == "managed"]
    for item in shown["resource_changes"]:
        change = item["change"]
        change |= {"actions": ["no-op"], "after": deepcopy(change["before"]), "after_unknown": {}}
    return shown


def asked(change: Document, side: str = "after") -> Document:
    """What a rule asks of the header."""
    blocks = [block for condition in change[side]["condition"] for block in condition["http_header"]]
    found: Document = blocks[0]
    return found


def with_new_rule() -> Document:
    shown = at_rest()
    change = change_of(shown, HEADER)
    change |= {"actions": ["create"], "before": None, "after_unknown": UNKNOWN, "before_sensitive": False}
    return shown


def with_other_header(name: str = "X-Tester", value: str = OTHER) -> Document:
    shown = at_rest()
    change = change_of(shown, HEADER)
    change["actions"] = ["update"]
    asked(change).update(http_header_name=name, values=[value])
    return shown


def reasons(shown: Document, wanted: Expectation) -> list[str]:
    return [str(refusal) for refusal in check_plan(parse_plan(shown), wanted)]


GOOD = {
    "a first header": (with_new_rule, WITHOUT, WITH),
    "another name and value": (with_other_header, WITH, CHANGED),
    "another value": (lambda: with_other_header("X-Canary"), WITH, replace(CHANGED, canary_header_name="X-Canary")),
    "none": (at_rest, WITH, WITH),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_what_was_asked_for_is_accepted(name):
    make, before, after = GOOD[name]
    assert reasons(make(), expected(before, after)) == []


@pytest.mark.parametrize("name", ["another name and value", "another value"])
@pytest.mark.parametrize("transition", [Transition.CANARY, Transition.SHIFT, Transition.PROMOTE])
def test_no_release_changes_a_header(name, transition):
    make, before, after = GOOD[name]
    assert reasons(make(), expected(before, after, transition=transition))


@pytest.mark.parametrize("name", ["a first header", "another name and value", "another value"])
def test_what_was_not_asked_for_is_refused(name):
    make, before, _ = GOOD[name]
    assert reasons(make(), expected(before, before))


def test_a_rule_that_was_asked_for_may_not_be_missing():
    shown = at_rest()
    shown["resource_changes"] = [one for one in shown["resource_changes"] if one["address"] != HEADER]
    assert reasons(shown, expected(WITHOUT, WITH)) == [
        f"{HEADER}: is missing: every resource of the service has to be in the plan."
    ]


@pytest.mark.parametrize("shown", [at_rest(), with_other_header(value=SECRET), with_other_header(name="X-Y")])
def test_a_plan_that_leaves_another_header_is_refused_without_telling_one(shown):
    found = reasons(shown, expected(WITH, CHANGED))
    assert found
    assert all(reason.startswith(f"{HEADER}, headers") for reason in found)
    assert not any(secret in reason for secret in (SECRET, OTHER) for reason in found)


def test_a_header_that_somebody_changed_by_hand_is_said():
    shown = with_other_header()
    asked(change_of(shown, HEADER), "before")["values"] = ["somebody-s-own-value"]
    assert reasons(shown, expected(WITH, CHANGED)) == [
        f"{HEADER}, headers: was changed outside of Bluegreen."
    ]


def test_what_an_earlier_try_has_begun_is_found_without_complaint():
    begun = SettingsChange(before=WITHOUT, after=CHANGED, begun=WITH)
    assert reasons(with_other_header(), expected(WITHOUT, CHANGED, settings=begun)) == []


def test_the_end_of_a_rollback_finishes_what_was_begun():
    begun = SettingsChange(before=WITH, after=CHANGED, begun=CHANGED)
    wanted = expected(WITH, CHANGED, settings=begun, transition=Transition.ROLLBACK)
    assert reasons(with_other_header(), wanted) == []


@pytest.mark.parametrize("actions", [["delete"], ["delete", "create"], ["create", "delete"]])
def test_its_rule_is_never_deleted_or_replaced(actions):
    shown = with_other_header()
    change_of(shown, HEADER)["actions"] = actions
    assert any("would be" in reason for reason in reasons(shown, expected(WITH, CHANGED)))
    assert any("would be" in reason for reason in reasons(shown, expected(WITH, WITHOUT, canary_header=None)))


@pytest.mark.parametrize("make", [with_new_rule, with_other_header])
@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("priority", 150),
        ("listener_arn", "arn:other"),
        ("action", []),
        ("condition", []),
    ],
)
def test_all_else_of_its_rule_is_as_beside_it(make, attribute, value):
    before, after = (WITHOUT, WITH) if make is with_new_rule else (WITH, CHANGED)
    shown = make()
    change_of(shown, HEADER)["after"][attribute] = value
    assert any(reason.startswith(HEADER) for reason in reasons(shown, expected(before, after)))


@pytest.mark.parametrize("make", [with_new_rule, with_other_header])
def test_it_sends_nobody_as_long_as_the_canary_is_off(make):
    before, after = (WITHOUT, WITH) if make is with_new_rule else (WITH, CHANGED)
    shown = make()
    rule = change_of(shown, HEADER)["after"]
    rule["condition"] = [one for one in rule["condition"] if not one["source_ip"]]
    assert f"{HEADER}, source addresses" in " ".join(reasons(shown, expected(before, after)))


def test_no_address_rule_asks_for_a_header():
    shown = with_other_header()
    conditions = change_of(shown, CANARY)["after"]["condition"]
    conditions.append(
        deepcopy(
            next(one for one in resource(shown, HEADER)["change"]["after"]["condition"] if one["http_header"])
        )
    )
    change_of(shown, CANARY)["actions"] = ["update"]
    assert any(reason.startswith(f"{CANARY}, headers") for reason in reasons(shown, expected(WITH, CHANGED)))


@pytest.mark.parametrize(
    "later",
    [
        {"condition": True},
        {"priority": True},
        {"action": [{"order": True, "forward": [{"target_group": [{"arn": True}]}]}]},
    ],
)
def test_a_value_that_is_known_only_later_is_refused(later):
    shown = with_new_rule()
    change_of(shown, HEADER)["after_unknown"] = {**UNKNOWN, **later}
    assert reasons(shown, expected(WITHOUT, WITH))
