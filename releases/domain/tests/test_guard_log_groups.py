"""Log groups that Lambda has made are taken over, under their own names, and get nothing but what the settings say."""

from dataclasses import replace
from typing import Any

import pytest

from releases.domain.plans.expectation import LOG_GROUPS, Expectation
from releases.domain.plans.guard import changes_nothing, check_plan
from releases.domain.provisioning.execution_role import ExecutionRole, RoleRights
from releases.domain.provisioning.log_groups import changed, newly_managed
from releases.domain.provisioning.settings import Settings, SettingsChange
from releases.domain.tests.real_plans import (
    PREFIX,
    TRAFFIC,
    Document,
    change_of,
    document,
    expectation,
)
from releases.domain.traffic import Color, Transition
from terraform_runner.domain.plan import parse_plan

BLUE_LOGS, GREEN_LOGS = (f"{PREFIX}aws_cloudwatch_log_group.{color}[0]" for color in Color)
SETTINGS = Settings(hostnames=("later.example.com",), priority=400, tags={"team": "pay"})
KEPT = replace(SETTINGS, log_retention_days=30)
PLANS = ["logs_imported", "set_up_import"]


def settings_run(before: Settings = SETTINGS, after: Settings = KEPT, **columns: Any) -> Expectation:
    """What the plan "logs_imported" was made for."""
    made = expectation("set_up")
    assert made.blueprint is not None
    shown = document("logs_imported")
    groups = [change_of(shown, f"{PREFIX}aws_lb_target_group.{color}")["before"]["arn"] for color in Color]
    return replace(
        made,
        transition=columns.pop("transition", Transition.SETTINGS),
        blue_target_group_arn=groups[0],
        green_target_group_arn=groups[1],
        hostnames=after.hostnames,
        priority=after.priority,
        settings=SettingsChange(before=before, after=after, **columns),
        blueprint=replace(made.blueprint, name="later", family="later"),
    )


def set_up() -> Expectation:
    """What the plan "set_up_import" was made for."""
    made = expectation("set_up")
    assert made.blueprint is not None
    settings = Settings(log_retention_days=30)
    listener = change_of(document("set_up_import"), TRAFFIC)["after"]["listener_arn"]
    role = ExecutionRole(rights=RoleRights.LEAST)
    return replace(
        made,
        settings=SettingsChange(before=settings, after=settings),
        blueprint=replace(made.blueprint, name="nginx-svc", listener_arn=listener, role=role),
    )


def wanted(name: str) -> Expectation:
    return settings_run() if name == "logs_imported" else set_up()


def reasons(shown: Document, expected: Expectation) -> list[str]:
    return [str(refusal) for refusal in check_plan(parse_plan(shown), expected)]


@pytest.mark.parametrize("name", PLANS)
def test_what_lambda_has_made_is_taken_over(name):
    assert reasons(document(name), wanted(name)) == []


@pytest.mark.parametrize("name", PLANS)
def test_nothing_is_taken_over_under_another_name(name):
    shown = document(name)
    change_of(shown, BLUE_LOGS)["importing"] = {"id": "/aws/lambda/other-blue"}
    assert any(reason.startswith(f"{BLUE_LOGS}: ") for reason in reasons(shown, wanted(name)))


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize(
    ("attribute", "value"),
    [("retention_in_days", 7), ("tags", {"team": "x"}), ("kms_key_id", "key"), ("name", "/aws/lambda/x")],
)
def test_it_gets_nothing_but_what_the_settings_say(name, attribute, value):
    shown = document(name)
    change_of(shown, GREEN_LOGS)["after"][attribute] = value
    assert any(reason.startswith(GREEN_LOGS) for reason in reasons(shown, wanted(name)))


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("actions", [["delete"], ["delete", "create"], ["create"], ["forget"]])
def test_it_is_neither_deleted_nor_replaced(name, actions):
    shown = document(name)
    change_of(shown, BLUE_LOGS)["actions"] = actions
    assert reasons(shown, wanted(name))


@pytest.mark.parametrize("name", PLANS)
def test_nothing_else_is_ever_imported(name):
    shown = document(name)
    change_of(shown, TRAFFIC)["importing"] = {"id": "/aws/lambda/later-blue"}
    assert any("imported" in reason for reason in reasons(shown, wanted(name)))


def test_whatever_time_somebody_else_has_given_it_is_replaced():
    shown = document("logs_imported")
    change_of(shown, BLUE_LOGS)["before"] |= {"retention_in_days": 7, "tags": {"by": "hand"}}
    assert reasons(shown, settings_run()) == []


def test_a_group_that_is_already_as_was_asked_for_is_taken_over_by_an_apply():
    shown = document("logs_imported")
    for address in (BLUE_LOGS, GREEN_LOGS):
        change = change_of(shown, address)
        change |= {"actions": ["no-op"], "before": change["after"]}
    assert reasons(shown, settings_run()) == []
    assert not changes_nothing(parse_plan(shown))


def test_the_end_of_a_rollback_takes_over_what_was_begun():
    finishing = settings_run(begun=KEPT, transition=Transition.ROLLBACK)
    assert reasons(document("logs_imported"), finishing) == []


@pytest.mark.parametrize("transition", [Transition.SHIFT, Transition.CANARY, Transition.ROLLBACK])
def test_no_other_run_takes_anything_over(transition):
    assert reasons(document("logs_imported"), settings_run(transition=transition))


@pytest.mark.parametrize(
    ("before", "after", "is_new", "is_changed"),
    [
        (None, 30, True, True),
        (30, 60, False, True),
        (30, 30, False, False),
        (None, None, False, False),
    ],
)
def test_groups_are_imported_once_and_read_back_whenever_their_time_changes(
    before, after, is_new, is_changed
):
    run = settings_run(
        replace(SETTINGS, log_retention_days=before), replace(SETTINGS, log_retention_days=after)
    )
    assert (set(newly_managed(run)) == LOG_GROUPS, set(changed(run)) == LOG_GROUPS) == (is_new, is_changed)
    assert set(newly_managed(run).values()) <= {"/aws/lambda/later-blue", "/aws/lambda/later-green"}


def test_a_set_up_is_the_first_to_manage_them():
    assert newly_managed(set_up()) == changed(set_up())
    assert set(newly_managed(set_up())) == LOG_GROUPS
