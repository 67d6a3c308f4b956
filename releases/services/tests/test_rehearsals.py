"""A rehearsal of the button moves nobody, and tells of each part."""

import pytest
from celery import current_app
from kombu import Connection

from audit.models import AuditEvent
from aws import functions
from aws.errors import AwsError
from releases.domain.lifecycle import StepStatus
from releases.domain.plans.guard import Refusal
from releases.models import Rehearsal, Step
from releases.permissions import NotAllowed
from releases.services.execution import recovery
from releases.services.rollback import rehearsals
from releases.services.rollback.rehearsals import RehearsalRefused
from terraform_runner import claims, executor
from terraform_runner.domain.runs import Operation, RunStatus
from terraform_runner.errors import StateLocked
from terraform_runner.models import Run

READ_STATE, ASK_THE_BROKER = rehearsals._read_state, rehearsals._ask_the_broker
SENT = "Each rule is sent the weights that it has, and read back"


@pytest.fixture
def split(life, monkeypatch, settings, tmp_path):
    """Half of the users are on the new version; everything answers."""
    settings.DATA_DIR = tmp_path
    life.request()
    life.go_to(50)
    monkeypatch.setattr(functions, "read_function", lambda *_: None)
    monkeypatch.setattr(rehearsals, "credentials_for_run", lambda *_: None)
    monkeypatch.setattr(rehearsals, "_read_state", lambda _: None)
    monkeypatch.setattr(rehearsals, "_ask_the_broker", lambda: None)
    life.sent = []
    set_weights = life.world.set_weights

    def noted(access, arn, weights):
        life.sent.append((arn, dict(weights)))
        set_weights(access, arn, weights)

    monkeypatch.setattr("aws.load_balancer.set_weights", noted)
    return life


def rehearse(life, user=None) -> Rehearsal:
    return rehearsals.rehearse(service_id=life.service.pk, user=user or life.operator)


def plan_run(rehearsal: Rehearsal) -> Run:
    assert rehearsal.plan_run is not None
    rehearsal.plan_run.refresh_from_db()
    return rehearsal.plan_run


def part(rehearsal: Rehearsal, what: str) -> dict:
    [found] = [one for one in rehearsal.parts if one["what"] == what]
    return found


def test_every_part_is_timed_and_nobody_is_moved(split):
    before = {arn: dict(weights) for arn, weights in split.world.weights.items()}
    rehearsal = rehearse(split)
    assert (rehearsal.problems, len(rehearsal.parts)) == (0, 10)
    assert all(one["seconds"] >= 0 for one in rehearsal.parts)
    assert split.world.weights == before
    assert split.sent == list(before.items())
    event = AuditEvent.objects.get(action="rollback.rehearsed")
    assert (event.actor_name, event.after["problems"]) == ("otto", 0)


def test_terraform_plans_what_would_follow_as_a_run_of_its_own_and_nothing_is_applied(split, monkeypatch):
    planned: list[dict] = []

    def plan(**given):
        planned.append(given["workspace"].variables)
        return split.world.plan(**given)

    monkeypatch.setattr(executor, "plan", plan)
    rules = dict(split.world.weights)
    step = split.step()
    rehearsal = rehearse(split)
    run = plan_run(rehearsal)
    assert (run.status, run.operation, run.urgent) == (RunStatus.QUEUED, Operation.PLAN, True)
    split.world.work()
    run.refresh_from_db()
    assert (run.status, rehearsal.plan_problem) == (RunStatus.SUCCEEDED, "")
    assert [variables["green_weight"] for variables in planned] == [0]
    assert split.world.weights == rules
    assert split.step() == step
    assert not Run.objects.filter(plan_run=run).exists()
    assert AuditEvent.objects.get(action="rollback.plan-rehearsed").after == {"works": True}


def test_a_plan_that_the_guard_refuses_is_a_part_that_did_not_work(split):
    rehearse(split)
    split.world.refusals = (Refusal(address="module.service.x", attribute="", reason="would be deleted."),)
    split.world.work()
    rehearsal = Rehearsal.objects.get()
    assert rehearsal.problems == 1
    assert "would be deleted." in rehearsal.plan_problem
    assert AuditEvent.objects.get(action="rollback.plan-rehearsed").after == {"works": False}


def test_a_terraform_that_fails_is_a_part_that_did_not_work_and_holds_nobody_up(split):
    rehearse(split)
    split.world.plan_fails = StateLocked("Locked by ana.", who="ana", since="", operation="")
    split.world.work()
    split.world.plan_fails = None
    assert Rehearsal.objects.get().plan_problem == "Locked by ana."
    split.go_to(100)


def test_a_press_ends_the_plan_of_a_rehearsal_and_another_rehearsal_takes_its_place(split):
    first = rehearse(split)
    second = rehearse(split)
    assert plan_run(first).status == RunStatus.CANCELLED
    split.roll_back()
    assert (plan_run(second).status, second.plan_problem != "") == (RunStatus.CANCELLED, True)


def test_a_plan_that_was_lost_with_its_worker_is_told_and_nothing_is_planned_again(split):
    run = plan_run(rehearse(split))
    claims.claim(run.pk, worker="gone/1/1.00")
    run.refresh_from_db()
    claims.mark_lost(run, message="Its worker is gone.")
    recovery.sweep()
    assert Rehearsal.objects.get().plan_problem == "Its worker is gone."
    assert not Run.objects.filter(status=RunStatus.QUEUED).exists()


def test_a_right_that_is_missing_is_said_and_the_other_parts_go_on(split, monkeypatch):
    def refused(*_):
        raise AwsError("aws:refused", "AWS does not allow Bluegreen to set the weights of a rule.")

    monkeypatch.setattr("aws.load_balancer.set_weights", refused)
    rehearsal = rehearse(split)
    assert rehearsal.problems == 1
    assert "does not allow" in part(rehearsal, SENT)["problem"]
    assert "does not allow" in AuditEvent.objects.get(action="rollback.rehearsed").reason


def test_a_broker_that_is_gone_and_a_state_that_is_not_there_are_said(split, monkeypatch):
    monkeypatch.setattr(rehearsals, "_read_state", READ_STATE)
    monkeypatch.setattr(rehearsals, "_ask_the_broker", ASK_THE_BROKER)
    monkeypatch.setattr(current_app, "connection_for_write", lambda: Connection("redis://127.0.0.1:9/0"))
    found = {one["what"]: one["problem"] for one in rehearse(split).parts}
    assert found["The broker answers"]
    assert found["Terraform's state is there"] == "There is no state where Terraform keeps it."


def test_while_an_apply_goes_on_no_rule_is_sent_anything(split):
    Step.objects.filter(pk=split.step().pk).update(status=StepStatus.APPLYING)
    assert "An apply had begun" in part(rehearse(split), SENT)["problem"]
    assert split.sent == []


def test_who_may_not_press_may_not_rehearse(split):
    with pytest.raises(NotAllowed):
        rehearse(split, split.requester)
    assert not Rehearsal.objects.exists()


def test_while_a_rollback_is_being_finished_it_is_refused(split):
    split.roll_back()
    with pytest.raises(RehearsalRefused):
        rehearse(split)
