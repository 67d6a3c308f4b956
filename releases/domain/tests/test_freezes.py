"""When nothing begins, by the clock of a place, also when that changes (FAULTS P13)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.domain.approval.freezes import (
    MOST_WINDOWS,
    InvalidWindow,
    frozen_at,
    parse_window,
    parse_windows,
)

WEEKEND = "Fri 16:00 - Mon 08:00 Europe/Berlin: Weekend"
CHRISTMAS = "2026-12-20 18:00 - 2027-01-04 08:00 Europe/Berlin: Christmas"
OFFICE = "Mon-Fri 09:00 - 17:00 Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


moments = st.integers(0, 3 * 365 * 86_400).map(
    lambda seconds: at("2025-01-01T00:00+00:00") + timedelta(seconds=seconds)
)


def frozen(moment: str, *freezes: str, allowed: tuple[str, ...] = ()) -> tuple[str, str] | None:
    """Until when, in UTC, and by which window."""
    found = frozen_at(at(moment), freezes=parse_windows(freezes), allowed=parse_windows(allowed))
    if found is None:
        return None
    return (found.until.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if found.until else "", found.name)


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        ("2026-12-20T16:59:59+00:00", None),
        ("2026-12-20T17:00:00+00:00", "2027-01-04 07:00"),
        ("2027-01-04T06:59:59+00:00", "2027-01-04 07:00"),
        ("2027-01-04T07:00:00+00:00", None),
    ],
)
def test_one_that_does_not_come_again_holds_from_its_begin_to_before_its_end(moment, until):
    assert frozen(moment, CHRISTMAS) == (until and (until, "Christmas"))


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        ("2026-06-05T13:59+00:00", None),
        ("2026-06-05T14:00+00:00", "2026-06-08 06:00"),
        ("2026-06-07T23:00+00:00", "2026-06-08 06:00"),
        ("2026-06-08T06:00+00:00", None),
    ],
)
def test_a_weekly_one_goes_over_the_end_of_the_week(moment, until):
    assert frozen(moment, WEEKEND) == (until and (until, "Weekend"))


def test_its_hours_are_those_of_its_place_in_summer_and_in_winter():
    assert frozen("2026-03-27T15:00+00:00", WEEKEND) == ("2026-03-30 06:00", "Weekend")  # the clocks change
    assert frozen("2026-03-27T14:59+00:00", WEEKEND) is None
    assert frozen("2026-10-23T14:00+00:00", WEEKEND) == ("2026-10-26 07:00", "Weekend")
    assert frozen("2026-10-23T13:59+00:00", WEEKEND) is None


@pytest.mark.parametrize(
    ("window", "moment", "until"),
    [
        # 02:30 does not come on 29 March: from 01:30 (in winter's time) on, in doubt.
        ("2026-03-29 02:30 - 2026-03-29 12:00 Europe/Berlin", "2026-03-29T00:30+00:00", "2026-03-29 10:00"),
        ("2026-03-29 00:00 - 2026-03-29 02:30 Europe/Berlin", "2026-03-29T01:29+00:00", "2026-03-29 01:30"),
        # 02:30 comes twice on 25 October: from the first to the second.
        ("2026-10-25 02:30 - 2026-10-25 12:00 Europe/Berlin", "2026-10-25T00:30+00:00", "2026-10-25 11:00"),
        ("2026-10-25 00:00 - 2026-10-25 02:30 Europe/Berlin", "2026-10-25T01:29+00:00", "2026-10-25 01:30"),
    ],
)
def test_a_time_that_comes_twice_or_never_makes_a_freeze_longer_and_not_shorter(window, moment, until):
    assert frozen(moment, window) == (until, "freeze")


def test_outside_of_the_allowed_hours_it_is_frozen_until_they_begin():
    assert frozen("2026-06-05T06:59+00:00", allowed=(OFFICE,)) == (
        "2026-06-05 07:00",
        "outside of the allowed hours",
    )
    assert frozen("2026-06-05T07:00+00:00", allowed=(OFFICE,)) is None
    assert frozen("2026-06-05T15:00+00:00", allowed=(OFFICE,)) == (
        "2026-06-08 07:00",
        "outside of the allowed hours",
    )


def test_windows_that_follow_each_other_are_one_and_its_end_is_when_something_may_begin():
    rest = "2026-06-08 08:00 - 2026-06-08 12:00 Europe/Berlin: Move"
    assert frozen("2026-06-06T12:00+00:00", WEEKEND, rest) == ("2026-06-08 10:00", "Weekend")
    assert frozen("2026-06-06T12:00+00:00", WEEKEND, allowed=("Tue 10:00 - 11:00 UTC",)) == (
        "2026-06-09 10:00",
        "Weekend",
    )


def test_a_freeze_without_an_end_says_so():
    whole_week = "Mon 00:00 - Mon 00:00 UTC: For ever"
    assert frozen("2026-06-06T12:00+00:00", whole_week) == ("", "For ever")


def test_without_windows_nothing_is_frozen():
    assert frozen("2026-06-06T12:00+00:00") is None


@given(moment=moments)
def test_what_is_frozen_is_free_when_it_said_and_not_before(moment):
    freezes, allowed = parse_windows([WEEKEND, CHRISTMAS]), parse_windows([OFFICE])
    found = frozen_at(moment, freezes=freezes, allowed=allowed)
    if found is not None:
        assert found.until is not None
        assert found.until > moment
        assert frozen_at(found.until, freezes=freezes, allowed=allowed) is None
        just_before = found.until - timedelta(seconds=1)
        assert frozen_at(max(just_before, moment), freezes=freezes, allowed=allowed) is not None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "always",
        "Fri 16:00 - Mon 08:00",
        "Fri 16:00 - Mon 08:00 Berlin",
        "Fri 16:00 - Mon 08:00 ../../etc/passwd",
        "Fri 24:00 - Mon 08:00 UTC",
        "Fri 16:00 - Mon 8:00 UTC",
        "Fre 16:00 - Mon 08:00 UTC",
        "Mon-Fri 17:00 - 09:00 UTC",
        "2026-02-30 18:00 - 2027-01-04 08:00 UTC",
        "2027-01-04 18:00 - 2026-12-20 08:00 UTC",
        "2026-12-20 18:00 - 2026-12-20 18:00 UTC",
        "1026-12-20 18:00 - 2026-12-21 18:00 UTC",
        "Fri 16:00 - Mon 08:00 UTC: " + "x" * 61,
        "\N{ARABIC-INDIC DIGIT ZERO}-Fri 09:00 - 17:00 UTC",
    ],
)
def test_a_line_that_says_no_time_is_refused_by_its_name(line):
    with pytest.raises(InvalidWindow) as refused:
        parse_window(line)
    assert refused.value.message.endswith(".")


def test_spaces_and_a_long_dash_are_read_as_people_write_them():
    assert parse_window("  Fri 16:00 \N{EN DASH} Mon   08:00 UTC ").text == "Fri 16:00 - Mon 08:00 UTC"


def test_there_are_at_most_so_many():
    with pytest.raises(InvalidWindow, match="At most"):
        parse_windows([WEEKEND] * (MOST_WINDOWS + 1))
