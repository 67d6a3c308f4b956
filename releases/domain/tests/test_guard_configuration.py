"""What the guard says of a function's configuration: the release's exactly, and of one colour only."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from releases.domain.plans.guard import Expectation, check_plan
from releases.domain.tests.mutations import mutated
from releases.domain.tests.real_plans import (
    BLUE_FUNCTION,
    BLUE_IMAGE,
    CONFIGURATION,
    GREEN_ALIAS,
    GREEN_FUNCTION,
    Document,
    change_of,
    document,
    expectation,
)
from releases.domain.traffic import Color
from terraform_runner.domain.plan import parse_plan

CONFIGURING = ("configure", "reconfigure", "unconfigure", "set_up_configured")


def reasons(shown: Document, expected: Expectation) -> list[str]:
    return [str(refusal) for refusal in check_plan(parse_plan(shown), expected)]


def green(**after: Any) -> Document:
    """The plan that configures green, with something else in what it leaves."""
    shown = document("configure")
    change_of(shown, GREEN_FUNCTION)["after"].update(after)
    return shown


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ({"memory_size": 513}, "memory_size: shall be 512, and the plan leaves 513."),
        ({"timeout": 61}, "timeout: shall be 60, and the plan leaves 61."),
        ({"architectures": ["x86_64"]}, "architectures: shall be arm64, and the plan leaves x86_64."),
        (
            {"ephemeral_storage": [{"size": 512}]},
            "ephemeral_storage: shall be 1024, and the plan leaves 512.",
        ),
        ({"tracing_config": []}, "tracing_config: shall be Active, and the plan leaves None."),
        (
            {"image_config": [{"command": ["evil"], "working_directory": "/srv"}]},
            "image_config: shall be command as released, and the plan leaves other values.",
        ),
        (
            {"vpc_config": [{"subnet_ids": ["subnet-0a1b2c3e"], "security_group_ids": ["sg-0a1b2c3d"]}]},
            "vpc_config: shall be subnet_ids as released, and the plan leaves other values.",
        ),
        (
            {"reserved_concurrent_executions": 0},
            "reserved_concurrent_executions: shall be -1, and the plan leaves 0.",
        ),
    ],
)
def test_anything_but_the_releases_configuration_is_refused(after, said):
    assert f"{GREEN_FUNCTION}, {said}" in reasons(green(**after), expectation("configure"))


@pytest.mark.parametrize("value", ["staple", "correct horse battery"])
def test_another_secret_is_refused_and_neither_is_told(value):
    shown = green(environment=[{"variables": {"LEVEL": "info", "PASSWORD": value}}])
    refused = reasons(shown, expectation("configure"))
    assert refused == [
        f"{GREEN_FUNCTION}, environment: shall be PASSWORD as released, and the plan leaves other values."
    ]
    assert value not in refused[0]


def test_a_secret_that_was_changed_by_hand_is_found_and_not_told():
    shown = document("reconfigure")
    change_of(shown, GREEN_FUNCTION)["before"]["environment"][0]["variables"]["PASSWORD"] = "staple"
    assert reasons(shown, expectation("reconfigure")) == [
        f"{GREEN_FUNCTION}, environment: was changed outside of Bluegreen: recorded is PASSWORD as released, "
        "found other values."
    ]


def test_an_environment_that_is_known_only_later_is_refused():
    shown = document("configure")
    change_of(shown, GREEN_FUNCTION)["after_unknown"]["environment"] = [{"variables": {"LEVEL": True}}]
    assert reasons(shown, expectation("configure")) == [
        f"{GREEN_FUNCTION}, environment: shall be LEVEL, PASSWORD, and the plan leaves what is known only after "
        "the apply."
    ]


def test_a_configuration_of_the_colour_with_the_users_is_never_changed():
    expected = expectation("configure")
    blue = replace(BLUE_IMAGE, configuration=CONFIGURATION)
    wrong = replace(expected, after=expected.after.with_version(Color.BLUE, blue))
    shown = document("configure")
    change_of(shown, BLUE_FUNCTION).update(actions=["update"])
    change_of(shown, BLUE_FUNCTION)["after"]["memory_size"] = 512
    assert f"{BLUE_FUNCTION}, memory_size: would change, while blue receives traffic." in reasons(
        shown, wrong
    )


def test_a_networks_id_changes_with_its_subnets_only():
    shown = document("reconfigure")
    change = change_of(shown, GREEN_FUNCTION)
    change["before"]["vpc_config"][0]["subnet_ids"] = change["after"]["vpc_config"][0]["subnet_ids"]
    change["after_unknown"]["vpc_config"] = [{"vpc_id": True}]
    assert reasons(shown, expectation("reconfigure")) == [
        f"{GREEN_FUNCTION}, vpc_id: would change without the function's subnets."
    ]


def test_a_networks_id_may_be_unknown_where_its_subnets_change():
    shown = document("configure")
    change_of(shown, GREEN_FUNCTION)["after_unknown"]["vpc_config"] = [{"vpc_id": True}]
    assert reasons(shown, expectation("configure")) == []


def test_a_plan_that_names_another_network_itself_is_refused():
    shown = document("configure")
    change_of(shown, GREEN_FUNCTION)["after"]["vpc_config"][0]["vpc_id"] = "vpc-elsewhere"
    assert reasons(shown, expectation("configure")) == [
        f"{GREEN_FUNCTION}, vpc_id: would change without the function's subnets."
    ]


def test_fewer_unknown_attributes_are_as_good():
    shown = document("configure")
    change = change_of(shown, GREEN_FUNCTION)
    change["after"]["last_modified"] = change["before"]["last_modified"]
    del change["after_unknown"]["last_modified"]
    assert reasons(shown, expectation("configure")) == []


def reserving(published: bool) -> tuple[Document, Expectation]:
    """A plan that only reserves concurrency for green, and, wrongly, publishes a version."""
    shown, expected = document("configure"), expectation("configure")
    function, alias = change_of(shown, GREEN_FUNCTION), change_of(shown, GREEN_ALIAS)
    unknown = {"version": True} if published else {}
    function.update(after={**function["before"], "reserved_concurrent_executions": 5}, after_unknown=unknown)
    alias.update(actions=["no-op"], after=alias["before"], after_unknown={})
    version = replace(BLUE_IMAGE, configuration={"reserved_concurrency": 5})
    return shown, replace(expected, after=expected.before.with_version(Color.GREEN, version))


def test_reserved_concurrency_alone_changes_without_a_new_version():
    shown, expected = reserving(published=False)
    assert reasons(shown, expected) == []


def test_a_version_that_reserved_concurrency_would_publish_is_refused():
    shown, expected = reserving(published=True)
    refused = f"{GREEN_FUNCTION}, version: would change by itself, without an update of the function."
    assert refused in reasons(shown, expected)


@pytest.mark.parametrize("block", ["environment", "vpc_config", "image_config", "tracing_config"])
def test_two_blocks_of_a_kind_are_a_shape_that_nobody_knows(block):
    shown = document("configure")
    after = change_of(shown, GREEN_FUNCTION)["after"]
    after[block] = after[block] * 2
    assert f"{GREEN_FUNCTION}: has a shape that the guard does not know." in reasons(
        shown, expectation("configure")
    )


@pytest.mark.parametrize("color", ["blue", "green"])
def test_a_set_up_with_another_configuration_is_refused(color):
    shown = document("set_up_configured")
    address = GREEN_FUNCTION.replace("green", color)
    change_of(shown, address)["after"]["environment"][0]["variables"]["LEVEL"] = "trace"
    refused = reasons(shown, expectation("set_up_configured"))
    assert (
        f"{address}, environment: shall be LEVEL as released, and the plan makes it other values." in refused
    )


@pytest.mark.parametrize("name", CONFIGURING)
@settings(max_examples=20)
@given(data=st.data())
def test_no_refusal_ever_tells_a_variable_s_value(name, data):
    shown = data.draw(mutated(name)).document
    told = "\n".join(reasons(shown, expectation(name)))
    assert "correct horse" not in told
