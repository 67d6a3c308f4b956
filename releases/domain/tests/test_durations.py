import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.domain.durations import USUAL_SECONDS, about, estimate
from releases.domain.traffic import Transition

COPY = [Transition.ROTATE_STABLE, Transition.ROTATE_TRAFFIC, Transition.ROTATE_CANDIDATE]
SWAP = [Transition.SWAP_COLORS, Transition.ROTATE_CANDIDATE]


def test_a_service_without_a_past_is_told_what_is_usual():
    told = estimate(COPY, {}, settle_seconds=0)
    assert (told.applies, told.seconds, told.measured) == (3, 3 * USUAL_SECONDS, False)
    assert str(told) == "3 applies, about 3 minutes"


def test_each_part_takes_what_it_took_in_the_middle_before():
    past = {
        Transition.SWAP_COLORS: [10.0, 20.0, 900.0],
        Transition.ROTATE_CANDIDATE: [40.0],
        Transition.SHIFT: [1.0],
    }
    told = estimate(SWAP, past, settle_seconds=0)
    assert (told.seconds, told.measured) == (60.0, True)
    assert str(told) == "2 applies, about 60 seconds"


def test_what_the_service_has_not_had_yet_takes_as_long_as_the_rest():
    past = {Transition.SHIFT: [10.0, 30.0, 50.0]}
    assert estimate(SWAP, past, settle_seconds=0).seconds == 60.0


def test_a_function_that_loses_its_traffic_to_be_changed_settles_in_between():
    assert estimate(COPY, {}, settle_seconds=120).seconds == 3 * USUAL_SECONDS + 120
    assert estimate(SWAP, {}, settle_seconds=120).seconds == 2 * USUAL_SECONDS
    assert estimate(COPY[:2], {}, settle_seconds=120).seconds == 2 * USUAL_SECONDS


def test_one_apply_is_no_applies():
    assert str(estimate(COPY[2:], {}, settle_seconds=0)) == "1 apply, about 60 seconds"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "about 10 seconds"),
        (44, "about 40 seconds"),
        (89, "about 90 seconds"),
        (90, "about 2 minutes"),
        (170, "about 3 minutes"),
        (5_399, "about 90 minutes"),
        (5_400, "about 2 hours"),
        (86_400, "about 24 hours"),
    ],
)
def test_a_duration_is_said_as_one_says_it(seconds, words):
    assert about(seconds) == words


@given(
    st.dictionaries(st.sampled_from(Transition), st.lists(st.floats(0, 10_000), min_size=1), max_size=5),
    st.floats(0, 1_000),
)
def test_an_estimate_is_never_longer_than_the_slowest_of_each(past, settle):
    slowest = max((max(of_one) for of_one in past.values()), default=USUAL_SECONDS)
    assert 0 <= estimate(COPY, past, settle_seconds=settle).seconds <= 3 * slowest + settle + 1e-6
