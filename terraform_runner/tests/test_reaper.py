import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest

from infra.local.tests.waiting import wait_for
from terraform_runner import claims, leases, reaper
from terraform_runner.domain.runs import RunStatus
from terraform_runner.models import Run
from terraform_runner.process_identity import ProcessIdentity
from terraform_runner.reaper import end_orphans
from terraform_runner.tests.factories import running_run

pytestmark = [pytest.mark.django_db, pytest.mark.fault]

HOST = claims.worker_host()
GRACE_SECONDS = 2
DEAD_WORKER = f"{HOST}/{2**22 + 1}/1.0"  # no Linux gives such a number
NAME_WORKER = f"""
import time, os
from terraform_runner.process_identity import ProcessIdentity
print(f"{HOST}/{{os.getpid()}}/{{ProcessIdentity.of(os.getpid()).started:.2f}}", flush=True)
time.sleep(600)
"""


@pytest.fixture
def terraform() -> Iterator[ProcessIdentity]:
    """Something that runs in a group of its own, as Terraform does."""
    with subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
    ) as started:
        identity = ProcessIdentity.of(started.pid)
        assert identity is not None
        yield identity
        started.kill()


def orphan(process: ProcessIdentity | None = None, *, worker: str = DEAD_WORKER) -> Run:
    run = running_run(worker=worker, grace_seconds=GRACE_SECONDS)
    if process is not None:
        Run.objects.filter(pk=run.pk).update(process_group=process.pid, process_started=process.started)
    return run


def silent(process: ProcessIdentity | None = None, *, worker: str) -> Run:
    """A run whose worker has not renewed its hold for a lease and the grace."""
    run = orphan(process, worker=worker)
    assert run.lease_until is not None
    Run.objects.filter(pk=run.pk).update(
        lease_until=run.lease_until - timedelta(seconds=45 + GRACE_SECONDS + 1)
    )
    return run


def take_over() -> list[Run]:
    return reaper.take_over(worker_host=HOST)


def reap() -> list[Run]:
    return end_orphans(worker_host=HOST)


def test_run_of_a_dead_worker_is_lost_and_its_terraform_ended(terraform):
    run = orphan(terraform)

    assert reap() == [run]

    run.refresh_from_db()
    assert (run.status, run.error_code) == (RunStatus.LOST, "run:lost")
    assert not terraform.is_running()


def test_run_of_a_dead_worker_that_had_started_nothing_is_lost():
    run = orphan()

    assert reap() == [run]


def test_run_of_a_worker_that_was_killed_is_lost(terraform):
    with subprocess.Popen([sys.executable, "-c", NAME_WORKER], stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        run = orphan(terraform, worker=worker.stdout.readline().strip())
        assert reap() == []
        worker.kill()

    assert reap() == [run]
    assert not terraform.is_running()


def test_run_of_this_process_goes_on(terraform):
    run = orphan(terraform, worker=claims.worker_name())

    assert reap() == []

    run.refresh_from_db()
    assert run.status == RunStatus.RUNNING
    assert terraform.is_running()


def test_run_of_a_worker_whose_number_is_somebody_elses_now_is_lost():
    _, pid, _ = claims.worker_name().rsplit("/", 2)
    run = orphan(worker=f"{HOST}/{pid}/1.0")

    assert reap() == [run]


def test_process_that_only_has_the_same_number_is_left_alone(terraform):
    run = orphan(ProcessIdentity(pid=terraform.pid, started=1.0))

    assert reap() == [run]
    assert terraform.is_running()


def test_run_of_another_machine_is_left_alone():
    orphan(worker=f"{HOST}-2/1/1.0")

    assert reap() == []


def test_runs_are_ended_once():
    orphan()

    assert len(reap()) == 1
    assert reap() == []


def test_launcher_that_ends_by_itself_is_not_disturbed(tmp_path):
    code = f"""
import signal, sys, time
signal.signal(signal.SIGINT, lambda *_: open({str(tmp_path / "interrupted")!r}, "w"))
open({str(tmp_path / "ready")!r}, "w")
time.sleep(1)
"""
    with subprocess.Popen([sys.executable, "-c", code], start_new_session=True) as launcher:
        wait_for((tmp_path / "ready").exists, "the launcher to run")
        run = orphan(ProcessIdentity.of(launcher.pid))

        assert reap() == [run]

    assert not (tmp_path / "interrupted").exists()


def test_launcher_that_was_stopped_is_ended_with_its_terraform(terraform):
    os.kill(terraform.pid, signal.SIGSTOP)
    run = orphan(terraform)

    assert reap() == [run]
    assert not terraform.is_running()


def test_run_whose_processes_somebody_else_is_about_to_end_is_left_to_them(terraform):
    run = orphan(terraform)
    leases.begin_to_end(run, patience_seconds=90)

    assert reap() == []
    assert terraform.is_running()


def test_silent_run_of_another_machine_is_taken_over():
    run = silent(worker="elsewhere/1/1.0")

    assert take_over() == [run]

    run.refresh_from_db()
    assert run.status == RunStatus.LOST
    assert "The worker elsewhere/1/1.0 was not heard of" in run.error_message


def test_silent_run_of_this_machine_is_taken_over_when_its_terraform_has_ended(terraform):
    os.kill(terraform.pid, signal.SIGSTOP)
    run = silent(terraform, worker=claims.worker_name())

    assert take_over() == [run]
    assert not terraform.is_running()


def test_run_that_is_held_is_not_taken_over():
    orphan(worker="elsewhere/1/1.0")

    assert take_over() == []


def test_silent_run_is_taken_over_once():
    silent(worker="elsewhere/1/1.0")

    assert len(take_over()) == 1
    assert take_over() == []
