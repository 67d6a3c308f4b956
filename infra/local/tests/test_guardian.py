"""What a killed owner leaves is ended by its guardian, and nothing else is."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.local.guardian import Guardian, kill_family
from infra.local.paths import ROOT
from infra.local.tests.waiting import is_gone, pid_in, wait_for

pytestmark = pytest.mark.process

SLEEPS = [sys.executable, "-c", "import time; time.sleep(600)"]
# Starts a child in a session of its own, says both numbers, and stays.
PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
open("child", "w").write(f"{child.pid}\\n")
time.sleep(600)
"""
OWNER = """
import os, subprocess, sys, time
from infra.local.guardian import Guardian
with Guardian() as guardian:
    sleeps = [sys.executable, "-c", "import time; time.sleep(600)"]
    kept, stopped = (subprocess.Popen(sleeps, start_new_session=True) for _ in range(2))
    guardian.watch(kept.pid)
    guardian.watch(stopped.pid)
    guardian.forget(stopped.pid)
    for name, process in (("kept", kept), ("stopped", stopped)):
        open(os.path.join(sys.argv[1], name), "w").write(f"{process.pid}\\n")
    {then}
"""


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(SLEEPS, start_new_session=True)
    yield process
    process.kill()
    process.wait()


def own(folder: Path, then: str) -> "subprocess.Popen[bytes]":
    code = OWNER.replace("{then}", then)
    return subprocess.Popen([sys.executable, "-c", code, str(folder)], cwd=ROOT)


def end(pid: int) -> None:
    if not is_gone(pid):
        os.kill(pid, signal.SIGKILL)


def test_what_a_killed_owner_started_ends_and_what_it_had_forgotten_goes_on(tmp_path):
    owner = own(tmp_path, "time.sleep(600)")
    kept, stopped = pid_in(tmp_path / "kept"), pid_in(tmp_path / "stopped")
    owner.kill()
    owner.wait()
    wait_for(lambda: is_gone(kept), "the watched process to end")
    assert not is_gone(stopped)
    end(stopped)


def test_an_owner_that_fails_leaves_nothing_that_it_had_not_forgotten(tmp_path):
    owner = own(tmp_path, "raise SystemExit(1)")
    assert owner.wait() == 1
    assert is_gone(pid_in(tmp_path / "kept"))
    end(pid_in(tmp_path / "stopped"))


def test_descendants_in_sessions_of_their_own_end_too(tmp_path):
    parent = subprocess.Popen([sys.executable, "-c", PARENT], cwd=tmp_path)
    child = pid_in(tmp_path / "child")
    kill_family([psutil.Process(parent.pid)])
    assert is_gone(child)
    assert is_gone(parent.pid)


def test_a_process_that_has_ended_already_is_no_problem(sleeper):
    process = psutil.Process(sleeper.pid)
    sleeper.kill()
    sleeper.wait()
    kill_family([process])
    with Guardian() as guardian:
        guardian.watch(sleeper.pid)


def test_without_its_guardian_an_owner_goes_on(sleeper):
    before = psutil.Process().children()
    with Guardian() as guardian:
        (process,) = [one for one in psutil.Process().children() if one not in before]
        process.kill()
        wait_for(lambda: is_gone(process.pid), "the guardian to end")
        guardian.watch(sleeper.pid)
        guardian.forget(sleeper.pid)
    assert sleeper.poll() is None


def test_a_lock_that_it_holds_is_free_only_when_it_has_ended(tmp_path):
    reading, writing = os.pipe()
    with Guardian(keep_open=[writing]):
        os.close(writing)
        os.set_blocking(reading, False)
        with pytest.raises(BlockingIOError):
            os.read(reading, 1)
    assert os.read(reading, 1) == b""
    os.close(reading)
