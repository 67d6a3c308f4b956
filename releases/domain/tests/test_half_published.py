"""An update that was interrupted before a version of it was published."""

from typing import Any

import pytest

from releases.domain.observed.half_published import half_published
from releases.domain.observed.reality import Reality
from releases.domain.tests.real_plans import BLUE_IMAGE, GREEN_IMAGE, expectation
from releases.domain.tests.test_reality import changed, reality
from releases.domain.traffic import Color

OLD, NEW = BLUE_IMAGE.digest, GREEN_IMAGE.digest


def interrupted(**values: Any) -> Reality:
    """Green's function has the new image, and its only version the old one."""
    left = {"latest_digest": NEW, "alias_digest": OLD, "alias_version": "1", "newest_version": "1", **values}
    return changed(reality(expectation("first_rotation").after), "green", **left)


def found(real: Reality, transition: str = "first_rotation") -> tuple[Color, ...]:
    return half_published(expectation(transition), real)


def test_a_function_without_a_version_of_what_it_runs_is_found():
    assert found(interrupted()) == (Color.GREEN,)


def test_so_is_one_whose_configuration_alone_was_changed():
    after = expectation("configure").after.green.configuration
    in_the_clear = expectation("configure").configuration(expectation("configure").after, Color.GREEN)
    assert after
    real = interrupted(latest_digest=OLD, configuration=in_the_clear)
    assert found(real, "configure") == (Color.GREEN,)
    assert found(changed(real, "green", alias_configuration=in_the_clear), "configure") == ()


@pytest.mark.parametrize(
    "values",
    [
        {"alias_digest": NEW, "alias_version": "2", "newest_version": "2"},
        {"newest_version": "2"},  # published, and the alias is Terraform's to move
        {"latest_digest": "sha256:" + "0" * 64},  # not what was approved
        {"configuration": {"memory_size": 512}},
    ],
)
def test_what_is_published_or_is_not_what_was_wanted_is_not(values):
    assert found(interrupted(**values)) == ()


def test_a_function_that_the_transition_does_not_change_is_not():
    assert found(interrupted(), "shift_up") == ()
