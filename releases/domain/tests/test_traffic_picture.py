"""The staircase of a release."""

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from releases.domain.reports.traffic_picture import HEIGHT, WIDTH, Span, TrafficMoment, in_words, picture

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def moment(seconds: float, share: int, *, canary: bool = False) -> TrafficMoment:
    return TrafficMoment(at=NOON + timedelta(seconds=seconds), share=share, canary=canary, what="x")


def test_each_share_is_a_stair_as_wide_as_it_lasted():
    drawn = picture([moment(0, 0), moment(50, 10), moment(75, 100)], NOON + timedelta(seconds=100))
    assert drawn.line == "M0 140H0V140H320V126H480V0H640"
    assert [mark.label for mark in drawn.marks] == ["1", "2", "3"]


def test_the_canary_is_drawn_for_as_long_as_it_was_on():
    moments = [moment(0, 0), moment(50, 0, canary=True), moment(75, 10)]
    assert picture(moments, NOON + timedelta(seconds=100)).canary == [Span(x=320, width=160)]


def test_moments_too_near_to_each_other_have_one_label():
    drawn = picture([moment(0, 0), moment(1, 10), moment(2, 20), moment(100, 0)], NOON)
    assert [mark.label for mark in drawn.marks] == ["1", "", "", "4"]


def test_a_release_without_a_length_has_a_picture_too():
    assert picture([moment(0, 0)], NOON).line == "M0 140H0V140H640"


def test_the_words_say_all_that_the_picture_shows():
    assert in_words([moment(0, 0), moment(5, 0, canary=True), moment(60, 10)]) == (
        "Of the users 0 % had the new version when it was requested; 0 % and the canary from 2026-01-02 12:00:05 UTC "
        "on; 10 % from 2026-01-02 12:01:00 UTC on."
    )


def test_of_very_many_moments_the_words_say_the_first_and_the_last_ones():
    words = in_words([moment(second, second) for second in range(50)])
    assert (
        "; 3 % from 2026-01-02 12:00:03 UTC on; 44 changes more; 48 % from 2026-01-02 12:00:48 UTC on; "
        in words
    )
    assert len(words.split("; ")) == 7


shares = st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 100), st.booleans()), min_size=1, max_size=20)


@given(shares, st.floats(0, 2e6))
def test_nothing_leaves_the_picture_and_time_goes_to_the_right(points, lasted):
    moments = [moment(seconds, share, canary=canary) for seconds, share, canary in sorted(points)]
    drawn = picture(moments, NOON + timedelta(seconds=lasted))
    xs = [float(x) for x in re.findall(r"H([\d.e+-]+)", drawn.line)]
    assert xs == sorted(xs)
    assert all(0 <= x <= WIDTH for x in xs)
    assert all(0 <= mark.y <= HEIGHT for mark in drawn.marks)
    assert all(span.x + span.width <= WIDTH + 0.2 for span in drawn.canary)
