"""The figures of a period."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.domain.reports.period_report import Period, ReleaseTimes, figures, in_words, spread

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
MARCH = Period(begins=BEGIN, ends=datetime(2026, 3, 29, tzinfo=UTC))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def went_through(begin: datetime, hours: int) -> ReleaseTimes:
    users = begin + timedelta(hours=hours) / 2
    return ReleaseTimes(requested_at=begin, users_at=users, everyone_at=begin + timedelta(hours=hours))


def taken_back(begin: datetime, **after: timedelta) -> ReleaseTimes:
    return ReleaseTimes(
        requested_at=begin,
        users_at=begin + HOUR,
        pressed_at=begin + 3 * HOUR,
        back_at=begin + after.get("back", 3 * HOUR + timedelta(seconds=1)),
    )


def test_the_lead_time_is_from_the_request_to_everyone():
    found = figures([went_through(BEGIN, hours) for hours in (2, 4, 9)], [], MARCH)
    assert (found.deployed, found.lead_time.median) == (3, 4 * 3600)
    assert found.deployed_per_week == 0.8


def test_one_that_was_requested_before_the_period_counts_where_it_reached_everyone():
    found = figures([went_through(BEGIN - HOUR, 4)], [], MARCH)
    assert (found.requested, found.deployed, found.lead_time.median) == (0, 1, 4 * 3600)


def test_the_failure_rate_is_of_those_that_users_were_sent_to():
    never_sent = ReleaseTimes(requested_at=BEGIN, pressed_at=BEGIN + HOUR, back_at=BEGIN + HOUR)
    found = figures(
        [went_through(BEGIN, 2), went_through(BEGIN, 2), taken_back(BEGIN), never_sent], [], MARCH
    )
    assert (found.changed, found.failed, found.failure_percent) == (3, 1, 33.3)
    assert found.rollbacks == 2


def test_restoring_is_from_the_first_users_and_the_button_from_the_press():
    found = figures([taken_back(BEGIN)], [], MARCH)
    assert found.time_to_restore.median == 2 * 3600 + 1
    assert found.button.median == 1


def test_a_traffic_that_is_not_back_yet_has_no_time():
    found = figures([ReleaseTimes(users_at=BEGIN, pressed_at=BEGIN)], [], MARCH)
    assert (found.rollbacks, found.time_to_restore.words) == (1, "not enough data")


def test_of_an_empty_period_nothing_is_divided():
    found = figures([], [], MARCH)
    assert (found.deployed_per_week, found.failure_percent, found.failure_words) == (
        0,
        None,
        "not enough data",
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        ([], "not enough data"),
        ([60.0], "60 s (median), not enough data for 90 % (1)"),
        ([float(number) for number in range(1, 11)], "5.5 s (median), 9 s (90 %)"),
    ],
)
def test_a_spread_says_where_it_knows_too_little(seconds, words):
    assert spread(seconds).words == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.25, "0.25 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (172_800, "2 days")],
)
def test_durations_are_said_in_the_unit_that_fits(seconds, words):
    assert in_words(seconds) == words


@given(st.lists(st.floats(0, 1e7), min_size=10))
def test_nine_of_ten_do_not_exceed_the_90th_percentile(seconds):
    found = spread(seconds)
    assert found.p90 is not None
    assert sum(one <= found.p90 for one in seconds) >= 0.9 * len(seconds)
    assert found.p90 in seconds


moments = st.none() | st.integers(0, 60).map(lambda days: BEGIN + days * DAY)


@given(st.lists(st.builds(ReleaseTimes, **dict.fromkeys(ReleaseTimes.__dataclass_fields__, moments))))
def test_no_part_is_greater_than_its_whole(releases):
    found = figures(releases, [], MARCH)
    assert found.failed <= found.changed <= len(releases)
    assert found.failure_percent is None or 0 <= found.failure_percent <= 100
    assert found.time_to_restore.count <= found.rollbacks
