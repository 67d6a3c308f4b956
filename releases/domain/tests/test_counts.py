"""What the counts say after a rollback."""

from datetime import UTC, datetime, timedelta

import pytest

from releases.domain.observed.counts import LATE, Counted, Verdict, first_whole_minute, verdict

SINCE = datetime(2026, 5, 1, 12, 1, tzinfo=UTC)
SOON, LATER = SINCE + timedelta(minutes=2), SINCE + LATE


@pytest.mark.parametrize(
    ("safe", "other", "moment", "said"),
    [
        (None, None, SOON, Verdict.TOO_EARLY),
        (0, 0, SOON, Verdict.TOO_EARLY),
        (None, None, LATER, Verdict.NO_DATA),
        (0, None, LATER, Verdict.NO_DATA),
        (120, None, SOON, Verdict.AGREES),
        (120, 0, LATER, Verdict.AGREES),
        (120, 1, SOON, Verdict.DIFFERS),
        (None, 1, LATER, Verdict.DIFFERS),
    ],
)
def test_silence_is_never_a_pass_and_one_request_elsewhere_is_a_difference(safe, other, moment, said):
    assert verdict(Counted(since=SINCE, safe=safe, other=other), moment) is said


@pytest.mark.parametrize(
    ("back_at", "first"),
    [
        (SINCE - timedelta(seconds=59), SINCE),
        (SINCE - timedelta(microseconds=1), SINCE),
        (SINCE, SINCE),
        (SINCE + timedelta(microseconds=1), SINCE + timedelta(minutes=1)),
    ],
)
def test_only_minutes_that_began_after_the_traffic_was_back_are_looked_at(back_at, first):
    assert first_whole_minute(back_at) == first
