import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from terraform_runner import claims
from terraform_runner.domain.runs import RunStatus
from terraform_runner.models import Run
from terraform_runner.process_identity import ProcessIdentity
from terraform_runner.reaper import end_orphans
from terraform_runner.tests.factories import running_run

pytestmark = [pytest.mark.django_db, pytest.mark.fault]

HOST = socket.gethostname()
DEAD_WORKER = f"{HOST}/{2**22 + 1}/1.0"  # no Linux gives such a number
NAME_WORKER = """
import socket, time, os
from terraform_runner.process_identity import ProcessIdentity
print(f"{socket.gethostname()}/{os.getpid()}/{ProcessIdentity.of(os.getpid()).started:.2f}", flush=True)
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
    run = running_run(worker=worker)
    if process is not None:
        Run.objects.filter(pk=run.pk).update(process_group=process.pid, process_started=process.started)
    return run


def reap() -> list[Run]:
    return end_orphans(worker_host=HOST, grace_seconds=5)


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
