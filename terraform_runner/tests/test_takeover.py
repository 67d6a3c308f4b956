"""A worker, its launcher, or both are stopped beyond the lease, another one takes over, and then they go on."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import connection

from infra.local.paths import ROOT
from infra.local.tests.waiting import is_gone, wait_for
from terraform_runner import claims, reaper
from terraform_runner.domain.runs import RunStatus
from terraform_runner.models import Run
from terraform_runner.tests.factories import queued_run
from terraform_runner.tests.support import stand_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault]

# Half of the lease is what a busy machine may take for a heartbeat.
LEASE, GRACE = 6.0, 1.0
# Ends by itself when it is interrupted.
PROGRAM = """
import os, signal, sys, time
signal.signal(signal.SIGINT, lambda *_: sys.exit(1))
open("running", "w").write(str(os.getpid()))
time.sleep(600)
"""


@dataclass(frozen=True)
class Holder:
    """A worker in a process of its own that holds a run."""

    process: "subprocess.Popen[str]"
    run: Run
    program: int

    def launcher(self) -> int:
        self.run.refresh_from_db()
        assert self.run.process_group is not None
        return self.run.process_group


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[Holder]:
    run = queued_run()
    address, _ = os.environ["DATABASE_URL"].rsplit("/", 1)
    environment = os.environ | {"DATABASE_URL": f"{address}/{connection.settings_dict['NAME']}"}
    arguments = (str(run.pk), str(tmp_path), stand_in(tmp_path, PROGRAM), str(LEASE), str(GRACE))
    with subprocess.Popen(
        [sys.executable, "-m", "terraform_runner.tests.holding", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        file = tmp_path / "running"
        wait_for(lambda: file.exists() and file.read_text(), "the program to run")
        yield Holder(process, run, int(file.read_text()))
        process.kill()


def take_over(host: str) -> bool:
    """Whether this host has taken the run over now."""
    return bool(reaper.take_over(worker_host=host))


def test_terraform_of_a_stopped_worker_has_ended_before_another_host_takes_over(holder):
    holder.process.send_signal(signal.SIGSTOP)

    wait_for(lambda: take_over("another"), "the takeover")

    assert is_gone(holder.program)


@pytest.mark.parametrize("stopped_with_it", [(), ("launcher",)])
def test_worker_that_goes_on_afterwards_starts_and_records_nothing(holder, tmp_path, stopped_with_it):
    stopped = [holder.process.pid, *([holder.launcher()] if stopped_with_it else [])]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: take_over("another"), "the takeover")
    (tmp_path / "running").write_text("nothing has run since")

    for pid in stopped:
        os.kill(pid, signal.SIGCONT)

    words, _ = holder.process.communicate()
    assert words.startswith("HoldLost")
    assert not (tmp_path / "running").exists()
    assert is_gone(holder.program)
    holder.run.refresh_from_db()
    assert (holder.run.status, holder.run.error_code) == (RunStatus.LOST, "run:lost")


def test_this_host_makes_sure_that_terraform_has_ended_if_its_launcher_was_stopped_too(holder):
    for pid in (holder.process.pid, holder.launcher()):
        os.kill(pid, signal.SIGSTOP)

    wait_for(lambda: take_over(claims.worker_host()), "the takeover")

    assert is_gone(holder.program)
    assert is_gone(holder.launcher())


def test_run_that_is_held_is_not_taken_over_however_often_somebody_tries(holder):
    wait_for(lambda: Run.objects.filter(heartbeat_at__gt=holder.run.queued_at).exists(), "a heartbeat")

    assert not any(take_over("another") for _ in range(100))

    assert not is_gone(holder.program)
