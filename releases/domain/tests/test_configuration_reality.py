"""What is real of a configuration, beside what is wanted and beside what a plan was made from."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from releases.domain.observed.configuration_reality import configuration_rows, planned_rows
from releases.domain.observed.reality import Reality, differences_from_plan, not_ready, verify
from releases.domain.plans.expectation import Expectation
from releases.domain.tests.real_plans import (
    CONFIGURATION,
    GREEN_IMAGE,
    REVEALED,
    expectation,
    plan,
)
from releases.domain.tests.test_reality import reality
from releases.domain.traffic import Color, Transition
from releases.domain.versions.configuration import in_the_clear

REAL = in_the_clear(CONFIGURATION, REVEALED)
GREEN = "green's function"


def configured(transition: Transition = Transition.SHIFT) -> Expectation:
    """Green runs with the full configuration, before and after."""
    expected = expectation("shift_down")
    version = replace(GREEN_IMAGE, configuration=CONFIGURATION)
    return replace(
        expected,
        transition=transition,
        before=expected.before.with_version(Color.GREEN, version),
        after=expected.after.with_version(Color.GREEN, version),
    )


def real(*, alias: Mapping[str, object] | None = None, **changed: object) -> Reality:
    """As wanted, but for these fields of green's function; ``alias`` has those of the version that it serves."""
    found = reality(configured().after)
    green = replace(
        found.green, configuration={**REAL, **changed}, alias_configuration={**REAL, **(alias or {})}
    )
    return replace(found, green=green)


def said(expected: Expectation, found: Reality) -> list[str]:
    versions = {Color.BLUE: "1", Color.GREEN: "2"}
    return [str(one) for one in verify(expected.after, expected, found, versions_before=versions)]


def test_a_configuration_that_is_as_wanted_is_no_difference():
    assert said(configured(), real()) == []


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        ({"memory_size": 256}, "memory of green's function: expected 512 MB, found 256 MB"),
        ({"timeout": 30}, "timeout of green's function: expected 60 seconds, found 30 seconds"),
        ({"architectures": ["x86_64"]}, "architecture of green's function: expected arm64, found x86_64"),
        ({"tracing_mode": "PassThrough"}, "tracing of green's function: expected Active, found PassThrough"),
        ({"image_config": None}, "command of green's function: expected serve, found none"),
        (
            {"reserved_concurrency": 5},
            "reserved concurrency of green's function: expected none, found 5 calls at a time",
        ),
        ({"subnet_ids": []}, "subnets of green's function: expected subnet-0a1b2c3d, found none"),
    ],
)
def test_each_setting_that_differs_is_named_for_people(changed, difference):
    assert difference in said(configured(), real(**changed))


@pytest.mark.parametrize(
    ("environment", "differences"),
    [
        (
            {"LEVEL": "info", "PASSWORD": "battery staple"},
            ["variable PASSWORD of green's function: expected as released, found another value"],
        ),
        (
            {"LEVEL": "hunter2hunter2", "PASSWORD": "correct horse"},
            ["variable LEVEL of green's function: expected as released, found another value"],
        ),
        (
            {"NEW": "hunter2hunter2", "PASSWORD": "correct horse"},
            [
                "variable LEVEL of green's function: expected as released, found none",
                "variable NEW of green's function: expected none, found another value",
            ],
        ),
    ],
)
def test_variables_are_compared_by_value_and_told_by_name(environment, differences):
    assert said(configured(), real(environment=environment)) == differences


def test_the_version_that_serves_is_looked_at_too():
    assert said(configured(), real(alias={"timeout": 5})) == [
        "timeout of the version that green serves: expected 60 seconds, found 5 seconds"
    ]


def test_a_rollback_does_not_mind_what_a_stopped_rotation_left():
    expected = configured(Transition.ROLLBACK)
    back = replace(expected, after=expected.after.with_candidate_share(0).with_canary(False))
    found = reality(back.after)
    half_made = replace(found, green=replace(found.green, configuration={"timeout": 5}))
    assert said(back, half_made) == []


def test_a_colour_with_another_configuration_gets_no_traffic():
    expected = configured()
    more = replace(expected, after=expected.after.with_candidate_share(90))
    assert [str(one) for one in not_ready(more, real(timeout=5))] == [
        "timeout of green's function: expected 60 seconds, found 5 seconds"
    ]


def planned(expected: Expectation, found: Reality) -> list[str]:
    return [str(one) for one in differences_from_plan(plan("shift_down"), found, expected)]


def test_what_was_changed_by_hand_between_plan_and_apply_is_found():
    expected = configured()
    before = reality(expected.before)
    as_planned = replace(before, green=replace(before.green, configuration=REAL))
    by_hand = {**REAL, "environment": {**REAL["environment"], "PASSWORD": "battery staple"}}
    changed = replace(before, green=replace(before.green, configuration=by_hand))
    assert planned(expected, as_planned) == []
    assert planned(expected, changed) == [
        "variable PASSWORD of green's function: expected as released, found another value"
    ]


def test_a_plan_is_made_from_what_was_or_from_what_is_wanted_and_nothing_else():
    before, after, other = {"timeout": 30}, {"timeout": 60}, {"timeout": 5}
    assert [*planned_rows(GREEN, before, after, before)] == [*planned_rows(GREEN, before, after, after)] == []
    assert [*planned_rows(GREEN, before, after, other)] == [
        ("timeout of green's function", "30 seconds", "5 seconds")
    ]


def test_equal_configurations_have_no_rows_whatever_is_written_out():
    assert [*configuration_rows(GREEN, {}, {"memory_size": 128, "environment": {}})] == []
