"""Terraform's following of a rollback is tried again where what was in its way may pass by itself."""

from datetime import timedelta

import pytest
from django.utils import timezone

from releases.domain.lifecycle import StepStatus
from releases.domain.plans.guard import Refusal
from releases.models import EmergencyRollback, Step
from releases.services.execution import recovery
from releases.services.rollback import following
from terraform_runner.errors import StateLocked
from terraform_runner.models import Run


@pytest.fixture
def locked_out(life):
    """Rolled back from a half, while somebody else had locked the state."""
    life.request()
    life.go_to(50)
    life.world.plan_fails = StateLocked("Locked by jane@laptop.", who="jane", since="", operation="")
    life.roll_back()
    life.world.work()
    life.world.plan_fails = None
    assert converge().problem == "Locked by jane@laptop."
    return life


def converge() -> Step:
    return EmergencyRollback.objects.get().converge


def a_while_later(*, minutes: float = 1.1) -> None:
    Run.objects.update(ended_at=timezone.now() - timedelta(minutes=minutes))


def test_a_minute_later_it_is_planned_again_and_agrees(locked_out):
    assert following.is_tried_again(EmergencyRollback.objects.get())
    recovery.sweep()
    assert converge().status == StepStatus.FAILED
    a_while_later()
    recovery.sweep()
    locked_out.world.work()
    assert (converge().status, converge().problem) == (StepStatus.DONE, "")


def test_after_two_hours_it_is_left_to_people(locked_out):
    EmergencyRollback.objects.update(pressed_at=timezone.now() - timedelta(minutes=121))
    a_while_later()
    recovery.sweep()
    assert converge().status == StepStatus.FAILED
    assert not following.is_tried_again(EmergencyRollback.objects.get())


def test_what_the_guard_refuses_is_not_tried_again(life):
    life.request()
    life.go_to(50)
    life.world.refusals = (Refusal(address="x", attribute="", reason="would be deleted."),)
    life.roll_back()
    life.world.work()
    a_while_later()
    recovery.sweep()
    assert (converge().status, converge().problem_code) == (StepStatus.FAILED, "plan:refused")


def test_another_press_takes_its_place(locked_out):
    locked_out.roll_back()
    locked_out.world.work()
    a_while_later()
    recovery.sweep()
    last, first = EmergencyRollback.objects.all()
    assert (first.converge.status, last.converge.status) == (StepStatus.ABANDONED, StepStatus.DONE)
