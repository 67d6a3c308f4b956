import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.domain.errors import InvalidRolloutPlan
from releases.domain.rollout_plan import (
    MOST_WEIGHTS,
    WHOLE_ROTATION,
    Rotation,
    build_steps,
    parse_weights,
    rotation_steps,
)
from releases.domain.tests.states import NEW, NEXT, OLD, state
from releases.domain.traffic import ROTATIONS, Color, Transition, initial_state, target_state

rising = st.sets(st.integers(1, 99), min_size=1, max_size=MOST_WEIGHTS).map(sorted).map(tuple)


@given(rising)
def test_weights_are_read_back_from_their_text(weights):
    assert parse_weights(", ".join(map(str, weights))) == weights


@pytest.mark.parametrize(
    "text",
    ["-1", "0", "100", "101", "10.5", "٣", "1e2", "", " ", "10; DROP", "9" * 10**6, "1_0", "05", "1,,2"],
)  # fmt: skip
def test_a_share_that_is_none_is_refused_with_the_range(text):
    with pytest.raises(InvalidRolloutPlan, match="from 1 to 99") as refusal:
        parse_weights(text)
    assert len(refusal.value.message) < 250


@pytest.mark.parametrize("text", ["10, 10", "50, 25", "10, 25, 20"])
def test_shares_that_do_not_rise_are_refused(text):
    with pytest.raises(InvalidRolloutPlan, match="higher than the one before"):
        parse_weights(text)


def test_too_many_shares_are_refused():
    with pytest.raises(InvalidRolloutPlan, match="At most 20 shares; these are 21"):
        parse_weights(",".join(map(str, range(1, 22))))
    with pytest.raises(InvalidRolloutPlan, match="At most 20 shares"):
        parse_weights(",".join("1" * 1000))


@pytest.mark.parametrize("weights", [(0,), (100,), (-1, 10), (10, 101)])
def test_a_plan_with_an_impossible_share_is_refused(weights):
    with pytest.raises(InvalidRolloutPlan, match="from 1 to 99"):
        build_steps(initial_state(OLD), NEW, weights=weights)


def test_a_plan_without_a_share_is_refused():
    with pytest.raises(InvalidRolloutPlan, match="at least one share"):
        build_steps(initial_state(OLD), NEW, weights=())


def test_a_first_release_rotates_the_candidate_only():
    steps = build_steps(initial_state(OLD), NEW, weights=(10, 50), bake_seconds=60)
    assert [(step.key, step.candidate_share, step.gate, step.bake_seconds) for step in steps] == [
        ("rotate_candidate", 0, False, 0),
        ("canary", 0, True, 60),
        ("shift-10", 10, False, 60),
        ("shift-50", 50, False, 60),
        ("promote", 100, True, 0),
    ]


def test_a_release_after_a_promotion_rotates_by_copy():
    steps = build_steps(state(100), NEXT, weights=(10,))
    assert [(step.key, step.candidate_share) for step in steps[:3]] == [
        ("rotate_stable", 100),
        ("rotate_traffic", 0),
        ("rotate_candidate", 0),
    ]
    assert not any(step.gate or step.may_have_gate for step in steps[:3])


@pytest.mark.parametrize("active", Color)
def test_a_release_after_a_promotion_rotates_by_swap_where_the_service_chose_so(active):
    steps = build_steps(state(100, active=active), NEXT, weights=(10,), rotation=Rotation.SWAP)
    assert [(step.key, step.candidate_share) for step in steps[:3]] == [
        ("rotate_swap", 0),
        ("rotate_candidate", 0),
        ("canary", 0),
    ]
    assert not any(step.gate or step.may_have_gate for step in steps[:2])


@pytest.mark.parametrize("rotation", Rotation)
def test_without_a_promotion_before_it_every_rotation_is_of_the_candidate_only(rotation):
    assert [step.key for step in rotation_steps(state(), rotation)] == ["rotate_candidate"]


@pytest.mark.parametrize("begin", [state(1), state(99), state(canary=True), state(100, canary=True)])
def test_a_release_of_a_split_service_is_refused(begin):
    with pytest.raises(InvalidRolloutPlan, match="roll back before") as refusal:
        build_steps(begin, NEXT, weights=(10,))
    assert refusal.value.code == "rollout:split"


def test_without_a_canary_the_first_shift_has_the_gate():
    steps = build_steps(initial_state(OLD), NEW, canary=False, weights=(10, 50))
    assert [step.key for step in steps if step.gate] == ["shift-10", "promote"]


def test_gates_can_be_added():
    steps = build_steps(initial_state(OLD), NEW, weights=(10, 50), extra_gates=["shift-50", "canary"])
    assert [step.key for step in steps if step.gate] == ["canary", "shift-50", "promote"]


@pytest.mark.parametrize("key", ["rotate_candidate", "shift-11", "x" * 1000])
def test_a_gate_at_a_step_that_can_not_have_one_is_refused(key):
    with pytest.raises(InvalidRolloutPlan, match="no step that could have this gate"):
        build_steps(initial_state(OLD), NEW, weights=(10,), extra_gates=[key])


def test_steps_start_by_themselves_where_that_is_chosen_and_a_rotation_does_as_one():
    steps = build_steps(state(100), NEXT, weights=(10, 50), automatic=[WHOLE_ROTATION, "shift-50", "promote"])
    assert [step.key for step in steps if step.automatic] == [
        "rotate_stable",
        "rotate_traffic",
        "rotate_candidate",
        "shift-50",
        "promote",
    ]


@pytest.mark.parametrize("key", ["rotate_candidate", "shift-11", "x" * 1000])
def test_a_step_that_is_not_in_the_plan_does_not_start_by_itself(key):
    with pytest.raises(InvalidRolloutPlan, match="no step that could start by itself") as refusal:
        build_steps(initial_state(OLD), NEW, weights=(10,), automatic=[key])
    assert len(refusal.value.message) < 300


def test_a_step_bakes_as_long_as_is_said_for_it():
    steps = build_steps(
        initial_state(OLD), NEW, weights=(10, 50), bake_seconds=60, bakes={"shift-10": 5, "canary": 0}
    )
    assert [(step.key, step.bake_seconds) for step in steps if step.may_bake] == [
        ("canary", 0),
        ("shift-10", 5),
        ("shift-50", 60),
    ]


@pytest.mark.parametrize("key", ["rotation", "rotate_candidate", "promote", "shift-11"])
def test_what_has_nothing_after_it_to_wait_for_does_not_bake(key):
    with pytest.raises(InvalidRolloutPlan, match="no step that could bake"):
        build_steps(initial_state(OLD), NEW, weights=(10,), bakes={key: 5})


@given(rising, st.booleans(), st.data())
def test_no_choice_takes_a_gate_away_or_sends_users_back(weights, canary, data):
    begin = data.draw(st.sampled_from([initial_state(OLD), state(100)]))
    plain = build_steps(begin, NEXT, canary=canary, weights=weights)
    keys = [step.key for step in plain if step.may_have_gate]
    extra = data.draw(st.sets(st.sampled_from(keys)))
    steps = build_steps(begin, NEXT, canary=canary, weights=weights, extra_gates=extra)
    assert {step.key for step in steps if step.gate} == {step.key for step in plain if step.gate} | extra
    to_candidate = [step for step in steps if step.transition not in ROTATIONS]
    assert to_candidate[0].gate
    shares = [step.candidate_share for step in to_candidate]
    assert shares == sorted(shares)
    assert (steps[-1].transition, steps[-1].candidate_share) == (Transition.PROMOTE, 100)


@given(
    rising,
    st.booleans(),
    st.builds(state, st.sampled_from([0, 100]), active=st.sampled_from(Color)),
    st.sampled_from(Rotation),
)
def test_every_step_of_a_plan_is_legal_after_the_one_before(weights, canary, begin, rotation):
    now = begin
    for step in build_steps(begin, NEXT, canary=canary, weights=weights, rotation=rotation):
        now = target_state(now, step.transition, version=NEXT, share=step.candidate_share)
        assert now.candidate_share == step.candidate_share
    assert now.version_of(now.candidate) == NEXT
