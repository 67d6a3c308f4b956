"""FAULTS W15: the database's clock is moved by an hour, and nothing becomes due, or is late, because of that."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from releases.domain.lifecycle import StepStatus
from releases.models import Service, Step
from releases.services.execution import moved_clock, recovery
from releases.services.tests.surroundings import move_clock
from terraform_runner import clocks

HOUR = 3600


@pytest.fixture
def baking(life):
    """The canary bakes for ten minutes; the clock has been looked at."""
    life.request(bake_seconds=600)
    life.go_on()
    life.go_on()
    assert life.step().status == StepStatus.BAKING
    clocks.can_be_trusted(lease_seconds=45)
    return life


def bakes_for() -> float:
    until = Step.objects.get(status=StepStatus.BAKING).bake_until
    assert until is not None
    return (until - timezone.now()).total_seconds()


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
def test_a_bake_takes_as_long_as_it_would_have(baking, seconds):
    move_clock(seconds)
    recovery.sweep()
    assert 500 < bakes_for() <= 600


def test_a_clock_that_went_on_as_it_should_moves_nothing(baking):
    move_clock(20)
    recovery.sweep()
    assert 500 < bakes_for() <= 580


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
def test_a_function_does_not_count_as_settled_before_its_time(baking, seconds):
    Service.objects.update(green_traffic_ended_at=timezone.now() - timedelta(seconds=30))
    move_clock(seconds)
    recovery.sweep()
    ended = Service.objects.get().green_traffic_ended_at
    assert ended is not None
    assert -1 < (timezone.now() - ended).total_seconds() < 300


def test_that_another_machine_notices_it_too_makes_nothing_shorter(baking):
    for _ in range(2):
        moved_clock.go_on(HOUR)
    assert 500 < bakes_for() <= 600


def test_it_is_in_the_trail_of_whatever_waits(baking):
    move_clock(HOUR)
    recovery.sweep()
    event = AuditEvent.objects.get(action="service.clock-moved")
    assert event.after["seconds"] == pytest.approx(HOUR, abs=20)
    assert event.reason.startswith(f"By +{event.after['seconds']} s.")
