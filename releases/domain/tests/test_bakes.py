import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.domain.bakes import LONGEST_BAKE_SECONDS, MOST_BAKES, check_bakes, parse_bakes
from releases.domain.errors import InvalidRolloutPlan

seconds = st.integers(0, LONGEST_BAKE_SECONDS)


@given(st.dictionaries(st.sampled_from(["canary", "shift-10", "shift-50"]), seconds))
def test_bake_times_are_read_back_from_their_texts(bakes):
    assert parse_bakes({key: f" {value} " for key, value in bakes.items()}) == bakes


def test_an_empty_field_says_nothing():
    assert parse_bakes({"canary": "", "shift-10": "  ", "shift-50": "0"}) == {"shift-50": 0}


@pytest.mark.parametrize("text", ["-1", "86401", "1.5", "٣", "1e2", "1_0", "9" * 10**6, "10 min"])
def test_what_is_no_bake_time_is_refused_with_the_range(text):
    with pytest.raises(InvalidRolloutPlan, match="from 0 to 86400") as refusal:
        parse_bakes({"canary": text})
    assert len(refusal.value.message) < 100


def test_more_bake_times_than_a_plan_has_steps_are_refused():
    with pytest.raises(InvalidRolloutPlan):
        parse_bakes({str(number): "1" for number in range(MOST_BAKES + 1)})


def test_a_bake_time_of_no_step_is_refused_by_its_name():
    check_bakes({"canary": 1}, {"canary", "shift-10"})
    with pytest.raises(InvalidRolloutPlan, match="could bake: shift-11"):
        check_bakes({"canary": 1, "shift-11": 1}, {"canary"})
