"""Decisions at a gate at the same moment as something else, with real threads and connections: one clear outcome."""

import pytest
from django.contrib.auth.models import Group
from django.db import connections

from audit.models import AuditEvent
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.models import Approval, Step
from releases.services import release_acts, rollout, shares
from releases.services.approval import approvals, gates
from releases.services.execution import runs
from releases.services.lifecycle import SYSTEM, locked
from releases.services.tests.test_races import _messages, at_once, events
from terraform_runner.domain.runs import Operation, RunStatus
from terraform_runner.models import Run

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["_messages"]

TWO = {"canary": {"need": "as_planned", "slots": ["anybody", "anybody"]}}
AN_SRE = {"canary": {"need": "as_planned", "slots": ["SRE"]}}


@pytest.fixture
def at_the_gate(life):
    """A release at its canary, which is started and waits for a decision."""
    life.release = life.request()
    life.start()
    life.start()
    return life


def applies(life) -> int:
    """How many applies of the canary were queued."""
    return Run.objects.filter(operation=Operation.APPLY, plan_run=life.step().plan_run).count()


def test_two_approvals_that_are_both_needed_both_count_and_it_is_applied_once(life, set_policy, member):
    set_policy(gates=TWO)
    life.release = life.request()
    life.start()
    life.start()
    max_, shown = member("max"), life.shown()
    answers = at_once(
        lambda: approvals.approve(**shown, user=life.manager), lambda: approvals.approve(**shown, user=max_)
    )
    assert answers == ["", ""]
    assert (events("plan.approved"), applies(life)) == (2, 1)


def test_of_three_for_two_places_two_count(life, set_policy, member):
    set_policy(gates=TWO)
    life.release = life.request()
    life.start()
    life.start()
    people, shown = [life.manager, member("max"), member("ivo")], life.shown()
    answers = at_once(*[lambda user=user: approvals.approve(**shown, user=user) for user in people])
    assert sorted(answers) == ["", "", "approval:decided"]
    assert (Approval.objects.count(), applies(life)) == (2, 1)


def test_one_person_who_presses_twice_at_once_approves_once(life, set_policy):
    set_policy(gates=TWO)
    life.release = life.request()
    life.start()
    life.start()
    shown = life.shown()
    answers = at_once(*[lambda: approvals.approve(**shown, user=life.manager)] * 3)
    assert sorted(answers) == ["", "approval:yours", "approval:yours"]
    assert Approval.objects.count() == 1


def test_of_an_approval_and_an_edit_either_the_old_plan_is_refused_or_the_new_one_asks_again(at_the_gate):
    shown, applied = at_the_gate.shown(), len(at_the_gate.world.applied)

    def edit() -> None:
        shares.set_share(release_id=at_the_gate.release.pk, share=40, user=at_the_gate.operator)

    approved, edited = at_once(lambda: approvals.approve(**shown, user=at_the_gate.manager), edit)
    assert (approved, edited) in {
        ("", ""),
        ("", "act:applying"),
        ("approval:no-plan", ""),
        ("approval:other-plan", ""),
    }
    at_the_gate.world.work()
    went_on = [one["green_weight"] for one in at_the_gate.world.applied[applied:]]
    assert went_on in ([], [0]), "nobody has approved 40 %"
    if edited == "":
        assert not gates.StepGate(at_the_gate.service, at_the_gate.step()).standing.is_open


def test_of_an_approval_and_a_plan_that_is_made_anew_only_what_was_approved_is_applied(at_the_gate):
    shown, applied = at_the_gate.shown(), len(at_the_gate.world.applied)
    at_the_gate.world.salt = "other changes"

    def make_anew() -> None:
        with locked(at_the_gate.service.pk) as service:
            step = Step.objects.select_related("service", "release", "plan_run").get(pk=shown["step_id"])
            if step.status == StepStatus.WAITING:
                rollout.plan(service, step, actor=SYSTEM, action="step.planned-again")

    approved, _ = at_once(lambda: approvals.approve(**shown, user=at_the_gate.manager), make_anew)
    assert approved in {"", "approval:no-plan"}
    was_applying = at_the_gate.step().status == StepStatus.APPLYING
    at_the_gate.world.work()
    if not was_applying:
        assert len(at_the_gate.world.applied) == applied
        assert at_the_gate.step().status == StepStatus.WAITING
        assert at_the_gate.shown() != shown
    assert events("plan.approved") == Approval.objects.count() == (approved == "")


def lose_the_right(life) -> None:
    life.manager.userobjectpermission_set.all().delete()


def lose_the_account(life) -> None:
    type(life.manager).objects.filter(pk=life.manager.pk).update(is_active=False)


@pytest.mark.parametrize("lose", [lose_the_right, lose_the_account])
def test_who_loses_their_right_while_they_press_has_approved_nothing_that_is_applied(at_the_gate, lose):
    shown, applied = at_the_gate.shown(), len(at_the_gate.world.applied)
    approved, _ = at_once(
        lambda: approvals.approve(**shown, user=at_the_gate.manager), lambda: lose(at_the_gate)
    )
    assert approved in {"", "person:no-permission", "person:inactive"}
    at_the_gate.world.work()
    assert len(at_the_gate.world.applied) == applied
    assert Approval.objects.count() == (approved == "")


def test_who_leaves_the_group_while_they_press_has_approved_nothing_that_is_applied(life, set_policy, member):
    set_policy(gates=AN_SRE)
    sam = member("sam", "SRE")
    life.release = life.request()
    life.start()
    life.start()
    shown, applied = life.shown(), len(life.world.applied)

    def leave() -> None:
        Group.objects.get(name="SRE").user_set.clear()

    approved, _ = at_once(lambda: approvals.approve(**shown, user=sam), leave)
    assert approved in {"", "approval:no-place"}
    life.world.work()
    assert len(life.world.applied) == applied


def test_an_approval_is_either_taken_back_or_applied(at_the_gate):
    applied = len(at_the_gate.world.applied)
    approvals.approve(**at_the_gate.shown(), user=at_the_gate.manager)
    step_id = at_the_gate.step().pk
    run = Run.objects.get(status=RunStatus.QUEUED)
    taken_back, _ = at_once(
        lambda: approvals.withdraw(step_id=step_id, user=at_the_gate.manager),
        lambda: runs.execute(run.pk, worker="w"),
    )
    at_the_gate.world.work()
    went_on = len(at_the_gate.world.applied) - applied
    assert (taken_back, went_on) in {("", 0), ("approval:used", 1), ("approval:not-yours", 1)}
    assert events("plan.approval-withdrawn") == (taken_back == "")


def test_of_a_rejection_and_a_cancellation_the_release_ends_once(at_the_gate):
    shown = at_the_gate.shown()
    answers = at_once(
        lambda: approvals.reject(**shown, user=at_the_gate.manager, comment="no"),
        lambda: release_acts.cancel(release_id=at_the_gate.release.pk, user=at_the_gate.operator),
    )
    assert answers.count("") == 1
    at_the_gate.release.refresh_from_db()
    assert at_the_gate.release.status == (
        ReleaseStatus.REJECTED if answers[0] == "" else ReleaseStatus.CANCELLED
    )
    ended = AuditEvent.objects.filter(action__in=["release.rejected", "release.cancelled"])
    assert ended.count() == 1


@pytest.fixture(autouse=True)
def _no_connection_left():
    yield
    connections.close_all()
