"""What a store, AWS or its credentials do meanwhile: refused in words, noted in the trail, tried again from there."""

import pytest

from audit.models import AuditEvent
from aws.errors import AwsError
from releases.domain.lifecycle import StepStatus
from releases.services import runs
from terraform_runner import executor
from terraform_runner.errors import PlanMissing, PlanTampered


@pytest.fixture
def stored(life, monkeypatch):
    """A release whose plan waits to be started; the store gives what it is told to."""

    def give(problem: Exception) -> None:
        def apply(**_: object) -> None:
            raise problem

        monkeypatch.setattr(executor, "apply", apply)

    life.request()
    life.give = give
    return life


@pytest.mark.parametrize(
    "problem",
    [PlanTampered("The plan in the store is not the one."), PlanMissing("It is not there any more.")],
)
def test_a_plan_that_is_not_what_was_approved_is_refused_and_noted(stored, problem):
    """FAULTS T6."""
    stored.give(problem)
    applied = len(stored.world.applied)
    stored.start()
    step = stored.step()
    assert (step.status, step.problem_code, step.problem) == (
        StepStatus.FAILED,
        problem.code,
        problem.message,
    )
    event = AuditEvent.objects.filter(action="step.failed").get()
    assert (event.reason, event.after["problem_code"]) == (problem.message, problem.code)
    assert len(stored.world.applied) == applied


def test_credentials_that_expire_in_the_middle_are_named(stored):
    """FAULTS A2."""
    stored.give(AwsError("aws:credentials", "The credentials have expired."))
    stored.start()
    assert (stored.step().problem_code, stored.step().problem) == (
        "aws:credentials",
        "The credentials have expired.",
    )


class Lagging:
    """AWS, which reads back what was before for so many times after an apply."""

    def __init__(self, life, times: int) -> None:
        self.world, self.times = life.world, times
        self.before = life.world.read_reality(life.service)

    def read(self, service):
        self.times -= 1
        return self.before if self.times >= 0 else self.world.read_reality(service)


@pytest.mark.parametrize(
    ("times", "status"), [(runs.VERIFY_ATTEMPTS - 1, StepStatus.DONE), (10_000, StepStatus.FAILED)]
)
def test_what_is_read_back_late_is_read_again_for_a_while_and_never_assumed(life, monkeypatch, times, status):
    """FAULTS A7."""
    release = life.request()
    monkeypatch.setattr(runs, "read_reality", Lagging(life, times).read)
    life.start()
    step = release.steps.order_by("position")[0]
    assert step.status == status
    assert (step.problem_code == "verify:differs") is (status == StepStatus.FAILED)
