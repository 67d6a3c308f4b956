import itertools
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction

from terraform_runner import claims
from terraform_runner.domain.results import Applied
from terraform_runner.domain.runs import ALLOWED_CHANGES, ENDED_STATUSES, Operation, RunStatus
from terraform_runner.domain.state_identity import StateIdentity
from terraform_runner.errors import HoldLost, ModuleInvalid, PlanStale, RunCancelled, RunTimedOut
from terraform_runner.models import Run
from terraform_runner.process_identity import ProcessIdentity
from terraform_runner.selectors import last_state
from terraform_runner.tests.factories import WORKER, planned, planned_run, queued_run, running_run

pytestmark = pytest.mark.django_db


def database_now():
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        (moment,) = cursor.fetchone()
    return moment


def test_run_is_queued_at_the_databases_time():
    with time_machine.travel("2001-01-01"):
        run = queued_run()

    assert run.status == RunStatus.QUEUED
    assert abs(run.queued_at - database_now()) < timedelta(minutes=1)


def test_claimed_run_is_running_and_says_who_has_it():
    run = running_run()

    assert (run.status, run.worker) == (RunStatus.RUNNING, WORKER)
    assert run.started_at == run.heartbeat_at is not None


def test_run_is_claimed_once():
    run = queued_run()

    assert claims.claim(run.pk, worker="one/1/1.0") is not None
    assert claims.claim(run.pk, worker="two/2/2.0") is None

    run.refresh_from_db()
    assert run.worker == "one/1/1.0"


def test_run_that_does_not_exist_is_not_claimed():
    assert claims.claim(uuid4(), worker=WORKER) is None


def test_second_run_of_a_held_workspace_stays_queued_until_the_first_has_ended():
    first, second = running_run(), queued_run()

    assert claims.claim(second.pk, worker=WORKER) is None

    claims.finish(first, planned())
    assert claims.claim(second.pk, worker=WORKER) is not None


def test_runs_of_two_workspaces_do_not_hinder_each_other():
    assert running_run("one").status == running_run("other").status == RunStatus.RUNNING


def test_refused_claim_leaves_the_callers_transaction_usable():
    running_run()
    with transaction.atomic():
        assert claims.claim(queued_run().pk, worker=WORKER) is None
        assert Run.objects.count() == 2


def test_database_itself_refuses_a_second_running_run():
    running_run()
    second = queued_run()

    with pytest.raises(IntegrityError, match="one_running_run_per_workspace"), transaction.atomic():
        Run.objects.filter(pk=second.pk).update(status=RunStatus.RUNNING)


@pytest.mark.parametrize(
    ("operation", "status", "constraint"),
    [
        ("plan", "paused", "run_status_known"),
        ("apply", "queued", "apply_has_its_plan"),
        ("x", "queued", "apply_has_its_plan"),
    ],
)
def test_database_itself_refuses_what_makes_no_sense(operation, status, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Run.objects.create(workspace="service", operation=operation, status=status)


def test_plan_that_succeeded_keeps_what_it_found():
    run = running_run()

    status = claims.finish(run, planned(changes=[{"address": "x"}]))

    run.refresh_from_db()
    assert (status, run.status, run.exit_code) == (RunStatus.SUCCEEDED, RunStatus.SUCCEEDED, 0)
    assert (run.plan_sha256, run.document_sha256, run.changes_digest) == ("a" * 64, "b" * 64, "c" * 64)
    assert run.changes == [{"address": "x"}]
    assert run.ended_at is not None


def test_apply_that_succeeded_keeps_its_outputs():
    apply = claims.queue_run(workspace="service", operation=Operation.APPLY, plan_run=planned_run())
    run = claims.claim(apply.pk, worker=WORKER)
    assert run is not None

    claims.finish(run, Applied(outputs={"arn": "x"}))

    run.refresh_from_db()
    assert (run.status, run.outputs) == (RunStatus.SUCCEEDED, {"arn": "x"})


def test_runs_keep_which_state_they_had():
    plan = running_run()
    claims.finish(plan, planned(state=StateIdentity(lineage="one", serial=7)))
    apply = claims.claim(
        claims.queue_run(workspace="service", operation=Operation.APPLY, plan_run=plan).pk, worker=WORKER
    )
    assert apply is not None

    claims.finish(apply, Applied(outputs={}, state=StateIdentity(lineage="one", serial=8)))

    assert last_state("service") == StateIdentity(lineage="one", serial=8)
    assert last_state("other") is None


def test_a_run_without_a_state_leaves_what_was_known():
    claims.finish(running_run(), planned(state=StateIdentity(lineage="one", serial=7)))
    claims.finish(running_run(), planned(state=None))
    claims.finish(running_run(), ModuleInvalid("wrong"))

    assert last_state("service") == StateIdentity(lineage="one", serial=7)


def test_a_forgotten_state_is_forgotten_for_one_workspace():
    for workspace in ("service", "other"):
        claims.finish(running_run(workspace), planned(state=StateIdentity(lineage=workspace, serial=7)))

    assert claims.forget_state("service") == 1

    assert last_state("service") is None
    assert last_state("other") == StateIdentity(lineage="other", serial=7)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ModuleInvalid("wrong", exit_code=1), RunStatus.FAILED),
        (RunTimedOut("too long"), RunStatus.FAILED),
        (RunCancelled("stop"), RunStatus.CANCELLED),
    ],
)
def test_run_that_did_not_succeed_keeps_why(error, status):
    run = running_run()

    assert claims.finish(run, error) == status

    run.refresh_from_db()
    assert (run.status, run.error_code, run.error_message) == (status, error.code, error.message)
    assert run.exit_code == error.exit_code


def test_run_is_finished_once():
    run = running_run()
    claims.finish(run, planned())

    with pytest.raises(HoldLost):
        claims.finish(run, RunCancelled("too late"))

    run.refresh_from_db()
    assert run.status == RunStatus.SUCCEEDED


def test_worker_that_lost_its_run_does_not_finish_it():
    run = running_run()
    run.worker = "another/1/1.0"

    with pytest.raises(HoldLost):
        claims.finish(run, planned())


def test_lost_run_says_so_and_frees_its_workspace():
    run = running_run()

    assert claims.mark_lost(run, message="gone")

    run.refresh_from_db()
    assert (run.status, run.error_code, run.error_message) == (RunStatus.LOST, "run:lost", "gone")
    assert running_run().status == RunStatus.RUNNING


def test_ended_run_is_not_lost_any_more():
    run = running_run()
    claims.finish(run, planned())

    assert not claims.mark_lost(run, message="gone")


def test_cancel_ends_what_is_queued_and_asks_what_is_running():
    running, queued, other = running_run(), queued_run(), queued_run("other")

    asked = claims.request_cancel(workspace="service", reason="an emergency")

    for run in (running, queued, other):
        run.refresh_from_db()
    assert set(asked) == {running.pk, queued.pk}
    assert (running.status, running.cancel_reason) == (RunStatus.RUNNING, "an emergency")
    assert running.cancel_requested_at is not None
    assert (queued.status, queued.error_code) == (RunStatus.CANCELLED, "run:cancelled")
    assert queued.ended_at is not None
    assert other.status == RunStatus.QUEUED


def test_cancel_of_one_run_leaves_the_others_alone():
    running, queued = running_run(), queued_run()

    assert claims.request_cancel(workspace="service", reason="no", only=[queued.pk]) == [queued.pk]

    for run in (running, queued):
        run.refresh_from_db()
    assert (queued.status, running.cancel_requested_at) == (RunStatus.CANCELLED, None)


def test_cancelled_run_is_not_claimed():
    run = queued_run()
    claims.request_cancel(workspace="service", reason="no")

    assert claims.claim(run.pk, worker=WORKER) is None


def test_second_cancel_keeps_the_first_reason():
    run = running_run()

    claims.request_cancel(workspace="service", reason="first")
    claims.request_cancel(workspace="service", reason="second")

    run.refresh_from_db()
    assert run.cancel_reason == "first"


def test_nothing_is_cancelled_where_nothing_is_open():
    planned_run()

    assert claims.request_cancel(workspace="service", reason="no") == []


def test_plan_is_used_once():
    run = planned_run()

    claims.use_plan(run)

    with pytest.raises(PlanStale, match="already"):
        claims.use_plan(run)


def test_plan_that_did_not_succeed_is_not_used():
    with pytest.raises(PlanStale):
        claims.use_plan(running_run())


def test_sent_is_noted_for_queued_runs_only():
    queued, running = queued_run(), running_run()

    claims.mark_sent([queued.pk, running.pk])

    for run in (queued, running):
        run.refresh_from_db()
    assert queued.sent_at is not None
    assert running.sent_at is None


@pytest.mark.parametrize(("old", "new"), list(itertools.product(RunStatus, RunStatus)))
def test_every_pair_of_statuses_is_allowed_or_refused_as_the_table_says(old, new):
    run = queued_run()
    one = Run.objects.filter(pk=run.pk)
    one.update(status=old)

    if new in ALLOWED_CHANGES[old]:
        assert claims._change(one, old, new)
        assert one.get().status == new
    else:
        with pytest.raises(ValueError, match="never"):
            claims._change(one, old, new)
        assert one.get().status == old


def test_no_status_follows_an_end():
    assert {
        RunStatus.SUCCEEDED,
        RunStatus.FAILED,
        RunStatus.CANCELLED,
        RunStatus.LOST,
    } == ENDED_STATUSES


def test_worker_name_identifies_this_process():
    host, pid, started = claims.worker_name().rsplit("/", 2)

    assert host
    assert ProcessIdentity(pid=int(pid), started=float(started)).is_running()
