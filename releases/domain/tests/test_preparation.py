from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given

from releases.domain.access.decisions import Permission, Person
from releases.domain.acts import ServiceFacts
from releases.domain.preparation import gives_up_old_version, may_prepare, preparation, rollback_window
from releases.domain.rollout_plan import Rotation, rotation_steps, straight_steps
from releases.domain.tests.states import NEW, NEXT, OLD, state, states
from releases.domain.traffic import Color, Transition, is_safe

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
OPERATOR = Person(id="1", is_active=True, permissions=frozenset({Permission.VIEW, Permission.OPERATE}))
PROMOTED = ServiceFacts(
    state=state(100), safe_color=Color.BLUE, release_open=False, converging=False, rules_differ=False
)


def window(*, promoted: timedelta = timedelta(hours=1), hours: int = 24):
    return rollback_window(NOON - promoted, seconds=hours * 3_600, now=NOON)


def test_the_old_version_is_kept_for_the_window_after_the_promotion():
    assert window(hours=2).is_open
    assert window(hours=2).ends_at == NOON + timedelta(hours=1)
    assert not window(hours=1).is_open
    assert not window(hours=0).is_open


def test_where_no_old_version_is_in_place_there_is_none_to_keep():
    assert not rollback_window(None, seconds=86_400, now=NOON).is_open


@pytest.mark.parametrize("rotation", Rotation)
def test_only_within_the_window_it_takes_a_word_to_rotate(rotation):
    steps = rotation_steps(state(100), rotation)
    assert gives_up_old_version(steps, window())
    assert not gives_up_old_version(steps, window(hours=1))


def test_a_release_after_a_prepared_swap_gives_the_old_version_up_too():
    swapped = replace(state(100), active_color=Color.GREEN)
    assert gives_up_old_version(rotation_steps(swapped, Rotation.SWAP), window())


@pytest.mark.parametrize("rotation", Rotation)
def test_going_back_to_the_old_version_gives_nothing_up(rotation):
    assert not gives_up_old_version(straight_steps(state(100), OLD, rotation), window())
    assert gives_up_old_version(straight_steps(state(100), NEXT, rotation), window())


def test_a_copy_is_prepared_by_two_parts_and_a_swap_by_one():
    assert [part.key for part in preparation(state(100), Rotation.COPY)] == [
        "rotate_stable",
        "rotate_traffic",
    ]
    assert [part.key for part in preparation(state(100), Rotation.SWAP)] == ["rotate_swap"]


@given(states)
def test_nothing_is_prepared_unless_everyone_has_the_promoted_version(traffic):
    for rotation in Rotation:
        assert bool(preparation(traffic, rotation)) is is_safe(traffic, traffic.candidate)


def test_an_operator_may_prepare_after_a_promotion():
    assert may_prepare(OPERATOR, PROMOTED, Rotation.COPY)


@pytest.mark.parametrize(
    ("person", "facts", "code"),
    [
        (replace(OPERATOR, permissions=frozenset({Permission.REQUEST})), {}, "person:no-permission"),
        (replace(OPERATOR, is_active=False), {}, "person:inactive"),
        (OPERATOR, {"state": None}, "act:not-set-up"),
        (OPERATOR, {"release_open": True}, "act:release-open"),
        (OPERATOR, {"preparing": True}, "act:preparing"),
        (OPERATOR, {"converging": True}, "act:converging"),
        (OPERATOR, {"state": state(50)}, "act:split"),
        (OPERATOR, {"state": state(0)}, "prepare:nothing"),
    ],
)
def test_nothing_is_prepared_where_it_may_not_be(person, facts, code):
    answer = may_prepare(person, replace(PROMOTED, **facts), Rotation.COPY)
    assert getattr(answer, "code", "") == code


@pytest.mark.parametrize("rotation", Rotation)
@pytest.mark.parametrize("active", Color)
def test_an_old_version_in_place_is_promoted_without_changing_a_function(rotation, active):
    promoted, rolled_back = state(100, active=active), state(0, active=active)
    assert [step.key for step in straight_steps(promoted, OLD, rotation)] == ["rotate_swap", "promote"]
    assert [step.key for step in straight_steps(rolled_back, NEW, rotation)] == ["promote"]


@pytest.mark.parametrize("rotation", Rotation)
@pytest.mark.parametrize("share", [0, 100])
def test_a_version_that_is_gone_from_both_colours_is_put_in_place_first(rotation, share):
    steps = straight_steps(state(share), NEXT, rotation)
    assert steps[:-1] == rotation_steps(state(share), rotation)
    assert (steps[-1].transition, steps[-1].gate) == (Transition.PROMOTE, True)
