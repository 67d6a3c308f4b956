"""What a set-up makes is what the settings and the service's names say, in both colours alike."""

from dataclasses import replace
from typing import Any

import pytest

from releases.domain.plans.expectation import CONCURRENCY, LOG_GROUPS, Expectation
from releases.domain.plans.guard import check_plan
from releases.domain.provisioning.settings import Settings, SettingsChange
from releases.domain.tests.real_plans import (
    COMPLETE,
    PREFIX,
    TRAFFIC,
    Document,
    change_of,
    document,
    expectation,
)
from terraform_runner.domain.plan import parse_plan

COLORS = ("blue", "green")


def reasons(shown: Document, wanted: Expectation) -> list[str]:
    return [str(refusal) for refusal in check_plan(parse_plan(shown), wanted)]


def asked(settings: Settings) -> Expectation:
    """The complete set-up's expectation with other settings."""
    return replace(
        expectation("set_up_complete"),
        settings=SettingsChange(before=settings, after=settings),
        hostnames=settings.hostnames,
        paths=settings.paths,
        priority=settings.priority,
    )


def in_both(kind: str, **after: Any) -> Document:
    """The complete set-up with the same change of both colours' resources."""
    shown = document("set_up_complete")
    found = [item for item in shown["resource_changes"] if item["type"] == kind and item["name"] in COLORS]
    assert len(found) == len(COLORS)
    for item in found:
        item["change"]["after"] |= after
    return shown


@pytest.mark.parametrize(
    "changed",
    [
        {"hostnames": ("other.example.com",)},
        {"paths": ()},
        {"priority": 301},
        {"tags": {"team": "other"}},
        {"tags": {}},
        {"log_retention_days": 7},
        {"log_retention_days": None},
        {"provisioned_concurrency": 3},
        {"provisioned_concurrency": 0},
    ],
)
def test_settings_are_those_that_were_asked_for(changed):
    assert reasons(document("set_up_complete"), asked(COMPLETE)) == []
    assert reasons(document("set_up_complete"), asked(replace(COMPLETE, **changed)))


@pytest.mark.parametrize("name", sorted(LOG_GROUPS | CONCURRENCY))
def test_what_was_asked_for_is_there_and_nothing_else(name):
    shown = document("set_up_complete")
    shown["resource_changes"] = [
        item for item in shown["resource_changes"] if item["address"] != PREFIX + name
    ]
    assert reasons(shown, expectation("set_up_complete")) == [
        f"{PREFIX}{name}: is missing: the service was to have it."
    ]
    without = asked(replace(COMPLETE, log_retention_days=None, provisioned_concurrency=0))
    assert f"{PREFIX}{name}: was not asked for." in reasons(document("set_up_complete"), without)


@pytest.mark.parametrize(
    ("kind", "after"),
    [
        ("aws_lambda_function", {"function_name": "other"}),
        ("aws_lambda_function", {"package_type": "Zip"}),
        ("aws_lambda_function", {"publish": False}),
        ("aws_lambda_alias", {"name": "latest"}),
        ("aws_lambda_permission", {"principal": "*"}),
        ("aws_lambda_permission", {"qualifier": None}),
        ("aws_lambda_permission", {"source_account": "210987654321"}),
        ("aws_lambda_permission", {"action": "lambda:*"}),
        ("aws_lb_target_group", {"name": "other"}),
        ("aws_lb_target_group", {"target_type": "ip"}),
        ("aws_cloudwatch_log_group", {"name": "/aws/lambda/other"}),
        ("aws_cloudwatch_log_group", {"kms_key_id": "arn:aws:kms:eu-central-1:1:key/x"}),
        ("aws_cloudwatch_log_group", {"skip_destroy": True}),
        ("aws_lambda_provisioned_concurrency_config", {"qualifier": "1"}),
    ],
)
def test_that_both_colours_are_wrong_in_the_same_way_does_not_make_it_right(kind, after):
    [attribute] = after
    found = reasons(in_both(kind, **after), expectation("set_up_complete"))
    assert any(f", {attribute}: is not what the service's is made as." in reason for reason in found)


def test_rules_are_on_the_services_own_listener():
    shown = document("set_up_complete")
    for item in shown["resource_changes"]:
        if item["type"] == "aws_lb_listener_rule":
            item["change"]["after"]["listener_arn"] = "arn:aws:elasticloadbalancing:eu-central-1:1:listener/x"
    assert f"{TRAFFIC}, listener_arn: is not what the service's is made as." in reasons(
        shown, expectation("set_up_complete")
    )


def test_what_half_a_set_up_has_made_is_what_the_rest_leads_to():
    shown = document("set_up_resumed")
    for item in shown["resource_changes"]:
        if item["type"] == "aws_lb_listener_rule":
            for group in item["change"]["after"]["action"][0]["forward"][0]["target_group"]:
                group["arn"] += "0"
    attachment = f"{PREFIX}aws_lb_target_group_attachment.blue"
    change_of(shown, attachment)["after"]["target_group_arn"] += "0"
    found = reasons(shown, expectation("set_up_resumed"))
    assert f"{TRAFFIC}, weights: would go to target groups that are not the service's." in found
    assert f"{attachment}, target_group_arn: does not lead to the service's own resources." in found


def test_a_guard_that_was_not_told_what_is_made_accepts_nothing():
    wanted = expectation("set_up")
    for untold in (replace(wanted, blueprint=None), replace(wanted, settings=None)):
        assert reasons(document("set_up"), untold) == ["Nobody has said what the service is made with."]


def test_a_shape_that_the_guard_does_not_know_is_refused_in_words():
    shown = document("set_up_complete")
    change_of(shown, TRAFFIC)["after"]["condition"][0]["host_header"] = ["shop.example.com"]
    assert reasons(shown, expectation("set_up_complete")) == [
        "Something in the plan has a shape that the guard does not know."
    ]


def test_a_type_that_the_guard_does_not_know_is_refused_in_words():
    shown = document("set_up_complete")
    for item in shown["resource_changes"]:
        if item["type"] == "aws_cloudwatch_log_group":
            item["type"] = "aws_cloudwatch_log_stream"
    assert all(
        "is not what its address says." in reason for reason in reasons(shown, expectation("set_up_complete"))
    )
