"""What the database does not take is done again where that is safe; else people are told that someone was faster."""

import os
import signal
import threading
import time

import pytest
from celery import current_app
from django.db import OperationalError, connection, connections, transaction
from psycopg import errors

from releases.domain.lifecycle import StepStatus
from releases.models import Service
from releases.services.approval import approvals
from releases.services.execution import patience, runs
from releases.services.execution.patience import Overtaken, patient
from releases.services.lifecycle import locked
from releases.services.tests.world import WORKER
from releases.tests.factories import ServiceFactory
from terraform_runner.domain.runs import RunStatus
from terraform_runner.models import Run


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    monkeypatch.setattr(patience, "PAUSE_SECONDS", 0.01)


class Database:
    """An act that the database does not take a few times."""

    def __init__(self, *problems: BaseException) -> None:
        self.problems = list(problems)
        self.tried = 0

    @patient
    def act(self) -> str:
        self.tried += 1
        if self.problems:
            raise self.problems.pop(0)
        return "done"


def deadlock() -> OperationalError:
    error = OperationalError("deadlock detected")
    error.__cause__ = errors.DeadlockDetected()
    return error


def test_what_lost_against_another_transaction_is_done_again():
    database = Database(deadlock(), Overtaken("service:faster", "Someone was faster."))
    assert (database.act(), database.tried) == ("done", 3)


def test_who_always_loses_is_told():
    database = Database(*[deadlock()] * 10)
    with pytest.raises(OperationalError):
        database.act()
    assert database.tried == 3


def test_a_database_that_is_away_is_waited_for():
    database = Database(*[OperationalError("the connection is lost")] * 20)
    assert (database.act(), database.tried) == ("done", 21)


def test_nobody_waits_longer_than_a_lease(settings):
    settings.LEASE_SECONDS = 0.1
    database = Database(*[OperationalError("the connection is lost")] * 1000)
    with pytest.raises(OperationalError):
        database.act()
    assert database.tried < 20


@pytest.mark.django_db
def test_inside_a_transaction_nothing_is_done_twice():
    database = Database(deadlock())
    with pytest.raises(OperationalError), transaction.atomic():
        database.act()
    assert database.tried == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_block_each_other_one_is_told_that_someone_was_faster():
    services, told = [ServiceFactory.create(), ServiceFactory.create()], []
    barrier = threading.Barrier(2)

    def hold_both(first: Service, second: Service) -> None:
        try:
            with locked(first.pk):
                barrier.wait()
                Service.objects.select_for_update().get(pk=second.pk)
        except Overtaken as refusal:
            told.append(str(refusal))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=hold_both, args=order) for order in (services, services[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == ["Someone was faster. Look at it again."]


@pytest.mark.django_db(transaction=True)
@pytest.mark.fault
def test_a_process_that_is_stopped_while_it_holds_a_service_holds_others_up_for_five_seconds_at_most(
    settings,
):
    service = ServiceFactory.create()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        connections.close_all()
        connection.settings_dict["OPTIONS"] = {"options": settings.TRANSACTION_OPTIONS}
        with locked(service.pk):
            os.write(writer, b"held")
            time.sleep(600)
    try:
        os.read(reader, 4)
        os.kill(child, signal.SIGSTOP)
        began = time.monotonic()
        with locked(service.pk):
            assert time.monotonic() - began < 30  # a busy machine; without the limit it would be for ever
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def cut_off() -> None:
    """End this process's connection at the server, as a database that restarts does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    other.close()


@pytest.fixture
def rotating(life, monkeypatch):
    """A release whose rotation waits to be applied; nobody is told of any run."""
    monkeypatch.setattr(current_app, "send_task", lambda *_, **__: None)
    life.request()
    approvals.start(step_id=life.step().pk, user=life.operator)
    return life


def last_run() -> Run:
    return Run.objects.latest("queued_at")


@pytest.mark.django_db(transaction=True)
def test_a_run_that_ends_while_the_database_restarts_is_recorded_all_the_same(rotating):
    step, run = rotating.step(), last_run()
    rotating.world.during_apply = cut_off
    runs.execute(run.pk, worker=WORKER)
    run.refresh_from_db()
    step.refresh_from_db()
    assert (run.status, step.status) == (RunStatus.SUCCEEDED, StepStatus.DONE)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_cannot_be_asked_before_an_apply_costs_another_plan_and_nothing_else(rotating):
    step, run = rotating.step(), last_run()
    rotating.world.before_apply = cut_off
    runs.execute(run.pk, worker=WORKER)
    rotating.world.before_apply = lambda: None
    run.refresh_from_db()
    assert (run.status, run.error_code) == (RunStatus.FAILED, "database:away")
    rotating.world.work()
    step.refresh_from_db()
    assert step.status == StepStatus.DONE
    assert len(rotating.world.applied) == 2  # the set-up, and once the rotation
