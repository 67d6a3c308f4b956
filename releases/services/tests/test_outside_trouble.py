"""What a store, AWS or its credentials do meanwhile: refused in words, noted in the trail, tried again from there."""

import pytest

from audit.models import AuditEvent
from aws.errors import AwsError
from releases.domain.lifecycle import StepStatus
from releases.services import release_acts
from releases.services.execution import runs
from terraform_runner import executor
from terraform_runner.errors import PlanMissing, PlanStale, PlanTampered


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


@pytest.mark.parametrize("code", ["aws:account-other", "aws:role-refused", "aws:credentials"])
def test_without_the_account_s_own_credentials_nothing_is_planned_or_applied(life, monkeypatch, code):
    """FAULTS A2: which account they are of is asked before every run."""

    def refuse(*_: object) -> None:
        raise AwsError(code, "These credentials are not the account's.")

    life.request()
    applied = len(life.world.applied)
    monkeypatch.setattr(runs, "credentials_for_run", refuse)
    life.start()
    assert (life.step().problem_code, life.step().status) == (code, StepStatus.FAILED)
    assert len(life.world.applied) == applied


@pytest.mark.parametrize("gone", ["rule", "target-group", "function", "load-balancer"])
def test_what_somebody_has_deleted_is_named_and_nothing_is_applied_in_its_place(life, monkeypatch, gone):
    """FAULTS A3. When it is back, the step is tried again."""

    def missing(*_: object) -> None:
        raise AwsError(f"aws:{gone}-missing", "AWS was asked to read it and does not have it.")

    life.request()
    applied = len(life.world.applied)
    with monkeypatch.context() as patch:
        patch.setattr(runs, "read_reality", missing)
        patch.setattr(runs, "differences_from_plan", missing)
        life.start()
    step = life.step()
    assert (step.problem_code, step.status) == (f"aws:{gone}-missing", StepStatus.FAILED)
    assert len(life.world.applied) == applied
    release_acts.retry(step_id=step.pk, user=life.operator)
    life.world.work()
    assert len(life.world.applied) == applied + 1


def test_a_plan_that_terraform_finds_stale_is_made_again_and_keeps_its_approval(life, monkeypatch):
    """FAULTS T5: the changes are the same."""
    life.request()
    life.start()  # the rotation is applied; the canary has a gate
    apply, stale = executor.apply, [PlanStale("Saved plan is stale")]

    def once_stale(**given):
        if stale:
            raise stale.pop()
        return apply(**given)

    monkeypatch.setattr(executor, "apply", once_stale)
    life.go_on()
    again = AuditEvent.objects.get(action="step.planned-again")
    assert "Saved plan is stale" in again.reason
    assert life.now().activate_canary


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
