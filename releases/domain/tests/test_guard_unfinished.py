"""What an interrupted set-up has made is taken over by the next one: exactly that, and by exactly its ids."""

from dataclasses import replace

import pytest

from releases.domain.plans.expectation import Expectation
from releases.domain.plans.guard import changes_nothing, check_plan
from releases.domain.provisioning.execution_role import ExecutionRole, RoleRights
from releases.domain.provisioning.settings import Settings, SettingsChange
from releases.domain.tests.real_plans import (
    BLUE_ALIAS,
    BLUE_FUNCTION,
    PREFIX,
    ROLE,
    TRAFFIC,
    Document,
    change_of,
    document,
    expectation,
)
from releases.domain.traffic import Version, initial_state
from terraform_runner.domain.plan import parse_plan

PLAN = "set_up_taken_over"
BLUE_GROUP = f"{PREFIX}aws_lb_target_group.blue"


@pytest.fixture
def shown() -> Document:
    """Terraform's plan where all was made but what has no identity of its own, and the state knew of nothing."""
    return document(PLAN)


@pytest.fixture
def unfinished(shown) -> Expectation:
    """What that plan was made for, with all that it takes over."""
    made = expectation("set_up")
    assert made.blueprint is not None
    state = initial_state(Version(image=change_of(shown, BLUE_FUNCTION)["after"]["image_uri"]))
    settings = Settings(
        hostnames=("shop.example.com",), priority=change_of(shown, TRAFFIC)["after"]["priority"]
    )
    found = {
        change["address"].removeprefix(PREFIX): change["change"]["importing"]["id"]
        for change in shown["resource_changes"]
        if "importing" in change["change"]
    }
    blueprint = replace(
        made.blueprint,
        name="shop",
        family="shop",
        listener_arn=change_of(shown, TRAFFIC)["after"]["listener_arn"],
        role=ExecutionRole(rights=RoleRights.LEAST),
    )
    return replace(
        made,
        before=state,
        after=state,
        hostnames=settings.hostnames,
        priority=settings.priority,
        settings=SettingsChange(before=settings, after=settings),
        blueprint=blueprint,
        unfinished=found,
    )


def refusals(shown: Document, made: Expectation) -> list[str]:
    return [str(refusal) for refusal in check_plan(parse_plan(shown), made)]


def test_what_is_there_is_taken_over_and_the_rest_is_made(shown, unfinished):
    assert len(unfinished.unfinished) == 11
    assert refusals(shown, unfinished) == []
    assert not changes_nothing(parse_plan(shown))


@pytest.mark.parametrize("address", [ROLE, BLUE_GROUP, BLUE_FUNCTION, BLUE_ALIAS, TRAFFIC])
def test_nothing_is_taken_over_that_was_not_found_by_this_id(shown, unfinished, address):
    name = address.removeprefix(PREFIX)
    others = {key: found for key, found in unfinished.unfinished.items() if key != name}
    for found in (others, {**others, name: "another"}):
        said = refusals(shown, replace(unfinished, unfinished=found))
        assert f"{address}: it would be imported." in said


@pytest.mark.parametrize(
    ("address", "attribute", "value"),
    [
        (BLUE_FUNCTION, "function_name", "another"),
        (BLUE_FUNCTION, "image_uri", "another"),
        (BLUE_FUNCTION, "role", "arn:aws:iam::123456789012:role/another"),
        (ROLE, "max_session_duration", 43200),
        (ROLE, "description", "somebody's"),
        (BLUE_GROUP, "name", "another"),
        (TRAFFIC, "listener_arn", "arn:another"),
        (TRAFFIC, "priority", 7),
        (f"{PREFIX}aws_lambda_permission.blue", "source_arn", "arn:another"),
    ],
)
def test_what_is_taken_over_ends_as_what_is_made_does(shown, unfinished, address, attribute, value):
    change = change_of(shown, address)
    change["actions"], change["after"] = ["update"], {**change["after"], attribute: value}
    assert any(said.startswith(f"{address}, {attribute}") for said in refusals(shown, unfinished))


def test_a_rule_that_leads_elsewhere_is_not_taken_over(shown, unfinished):
    for group in change_of(shown, TRAFFIC)["after"]["action"][0]["forward"][0]["target_group"]:
        group["arn"] = "arn:somebody-elses"
    assert any("target groups that are not the service's" in said for said in refusals(shown, unfinished))
