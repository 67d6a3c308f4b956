import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from terraform_runner import process_identity
from terraform_runner.process_identity import ProcessIdentity, end_group, kill_group, live_members

IGNORE = (
    "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print(flush=True); time.sleep(600)"
)
LEAVE_CHILD = """
import subprocess
subprocess.Popen(['sleep', '600'], stdout=subprocess.DEVNULL)
print(flush=True)
input()
"""


def start(code: str) -> "subprocess.Popen[bytes]":
    started = subprocess.Popen(
        [sys.executable, "-I", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert started.stdout is not None
    started.stdout.readline()
    return started


@pytest.fixture
def stubborn() -> Iterator["subprocess.Popen[bytes]"]:
    with start(IGNORE) as started:
        yield started
        started.kill()


def identity(started: "subprocess.Popen[bytes]") -> ProcessIdentity:
    found = ProcessIdentity.of(started.pid)
    assert found is not None
    return found


def test_this_process_is_running():
    found = ProcessIdentity.of(os.getpid())

    assert found is not None
    assert found.is_running()


def test_process_is_itself_however_often_one_looks(stubborn):
    assert identity(stubborn).is_same(identity(stubborn))


def test_another_process_with_the_same_number_is_not_the_same(stubborn):
    earlier = dataclasses.replace(identity(stubborn), started=1.0)

    assert not earlier.is_same(identity(stubborn))
    assert not earlier.is_running()


def test_process_that_is_gone_or_a_zombie_does_not_run(stubborn):
    found = identity(stubborn)
    stubborn.kill()
    os.waitid(os.P_PID, stubborn.pid, os.WEXITED | os.WNOWAIT)

    assert not found.is_running()

    stubborn.wait()
    assert not found.is_running()
    assert ProcessIdentity.of(stubborn.pid) is None


@pytest.mark.fault
def test_group_that_ignores_the_interrupt_is_killed(stubborn):
    found = identity(stubborn)

    end_group(found, grace_seconds=0.2)

    assert not found.is_running()


@pytest.mark.fault
def test_how_a_killed_child_ended_is_left_to_whoever_started_it(stubborn, monkeypatch):
    # It may still live for a moment when its group is looked at after the signal.
    monkeypatch.setattr(process_identity, "live_members", lambda group: [psutil.Process(group)])

    kill_group(stubborn.pid)

    assert stubborn.wait() == -signal.SIGKILL


@pytest.mark.fault
def test_group_of_another_process_with_the_same_number_is_left_alone(stubborn):
    end_group(dataclasses.replace(identity(stubborn), started=1.0), grace_seconds=0.2)

    assert stubborn.poll() is None


@pytest.mark.fault
def test_rest_of_a_group_whose_leader_is_gone_is_ended():
    with start(LEAVE_CHILD) as leader:
        found = identity(leader)
        leader.communicate(b"\n")

        end_group(found, grace_seconds=5)

        assert live_members(found.pid) == []


def test_ending_a_group_that_is_gone_does_nothing(stubborn):
    found = identity(stubborn)
    stubborn.kill()
    stubborn.wait()

    end_group(found, grace_seconds=0.2)
