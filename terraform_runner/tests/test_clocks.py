from datetime import timedelta

import pytest

from terraform_runner import clocks, launcher
from terraform_runner.models import ClockReading

pytestmark = pytest.mark.django_db


def trusted() -> bool:
    return clocks.can_be_trusted(lease_seconds=45)


def move_database_clock(seconds: float) -> None:
    """As if the last reading had been taken by a clock that has been moved by so many seconds since."""
    reading = ClockReading.objects.get()
    ClockReading.objects.update(read_at=reading.read_at - timedelta(seconds=seconds))


def let_time_pass(seconds: float) -> None:
    """As if all that was read and noted was so long ago, by both clocks."""
    reading = ClockReading.objects.get()
    ago = timedelta(seconds=seconds)
    ClockReading.objects.update(
        read_at=reading.read_at - ago,
        own_seconds=reading.own_seconds - seconds,
        jumped_at=reading.jumped_at - ago if reading.jumped_at else None,
    )


def test_first_reading_has_nothing_to_be_compared_with():
    assert not trusted()
    assert trusted()


@pytest.mark.parametrize("seconds", [3600, -3600, 40])
def test_clock_that_was_moved_is_not_trusted_for_a_lease(seconds, caplog):
    trusted()
    move_database_clock(seconds)

    assert not trusted()
    assert "has jumped by" in caplog.text
    let_time_pass(30)
    assert not trusted()
    let_time_pass(16)
    assert trusted()


def test_it_is_noted_how_far_the_clock_was_moved():
    trusted()
    move_database_clock(-3600)
    trusted()

    reading = ClockReading.objects.get()
    assert round(reading.jump_seconds) == -3600
    assert reading.jumped_at == reading.read_at


@pytest.mark.parametrize("seconds", [20, -20])
def test_clock_that_is_put_right_a_little_is_trusted(seconds):
    trusted()
    move_database_clock(seconds)

    assert trusted()


def test_hour_in_which_nothing_was_read_is_no_jump():
    trusted()
    let_time_pass(3600)

    assert trusted()


def test_machine_is_the_same_until_it_starts_again(monkeypatch, tmp_path):
    assert clocks.machine() == clocks.machine() != ""

    monkeypatch.setattr(clocks, "BOOT_ID", tmp_path / "absent")
    assert clocks.machine() != ""


def test_own_clock_is_not_moved_by_anybody(monkeypatch):
    monkeypatch.setattr("time.time", lambda: 0.0)

    before = launcher.now()
    assert launcher.now() >= before > 0
