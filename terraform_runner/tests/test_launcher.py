"""The launcher between a worker and Terraform, with workers that are killed, stopped, or say nothing any more."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from infra.local.paths import ROOT
from infra.local.tests.waiting import wait_for
from terraform_runner import launcher, process
from terraform_runner.domain.output import Output
from terraform_runner.domain.redaction import Redactor
from terraform_runner.process import Command, Ended, Limits
from terraform_runner.tests.support import RecordingControl, stand_in

pytestmark = pytest.mark.fault

# For so long at a time a run is held here: a busy machine takes a while to say so again.
HELD_SECONDS = 3
# Says that it runs, counts interrupts, goes on printing for a while after the first, and notes that it ended well.
GENTLE = """
import os, signal, sys, time
count = 0
def note(*_):
    global count
    count += 1
signal.signal(signal.SIGINT, note)
open("running", "w").write(str(os.getpid()))
print("ready", flush=True)
while count == 0: time.sleep(0.01)
for _ in range(50):
    print("finishing" * 1000, flush=True)
    time.sleep(0.01)
open("ended", "w").write(str(count))
"""
# Ignores interrupts, and so does its child, which has left the group and lost its parent.
STUBBORN = """
import os, signal, subprocess, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
script = "setsid sleep 600 & echo $! > escaped; wait"
subprocess.Popen(["/bin/sh", "-c", script], start_new_session=True)
while not (os.path.exists("escaped") and open("escaped").read().strip()): time.sleep(0.01)
open("running", "w").write(str(os.getpid()))
print("ready", flush=True)
time.sleep(600)
"""
LEAVES_SOMEBODY = """
import subprocess
print(subprocess.Popen(["sleep", "600"], start_new_session=True).pid, flush=True)
"""


class HeldUntilReady(RecordingControl):
    """Holds the run for some seconds at a time until its program is ready, and then not any longer."""

    _until = float("-inf")

    def holds_until(self) -> float:
        if "ready" not in self.seen:
            self._until = launcher.now() + HELD_SECONDS
        return self._until


@dataclass(frozen=True)
class Worker:
    """A process that has a launcher, which has a program."""

    process: "subprocess.Popen[str]"
    launcher: psutil.Process
    folder: Path

    def program(self) -> psutil.Process:
        """Once it has written its number whole: the file is there before what is in it."""
        wait_for((self.folder / "running").read_text, "the program's number")
        return psutil.Process(int((self.folder / "running").read_text()))

    def escaped(self) -> psutil.Process:
        return psutil.Process(int((self.folder / "escaped").read_text()))


@pytest.fixture
def worker(tmp_path) -> Iterator[Callable[..., Worker]]:
    """Starts a worker and returns when its program runs. It feeds its launcher for ``seconds`` at a time."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *, seconds: float = 60, grace: float = 30) -> Worker:
        arguments = (str(tmp_path), stand_in(tmp_path, code), str(seconds), str(grace))
        begun = subprocess.Popen(
            [sys.executable, "-m", "terraform_runner.tests.launched", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(begun)
        assert begun.stdout is not None
        number = int(begun.stdout.readline())
        wait_for((tmp_path / "running").exists, "the program to run")
        return Worker(begun, psutil.Process(number), tmp_path)

    yield start
    for one in started:
        with one:
            one.kill()


def run(tmp_path: Path, code: str, control: RecordingControl, *, grace: float = 30) -> Ended:
    command = Command(argv=(stand_in(tmp_path, code),), directory=tmp_path, environment={})
    limits = Limits(deadline=time.monotonic() + 60, grace_seconds=grace)
    return process.run(command, limits=limits, control=control, output=Output(Redactor()))


def gone(*processes: psutil.Process) -> Callable[[], bool]:
    return lambda: not any(map(is_alive, processes))


def has_ended(folder: Path, name: str) -> bool:
    """Whether the process whose number is in that file has ended."""
    try:
        return not is_alive(psutil.Process(int((folder / name).read_text())))
    except psutil.NoSuchProcess:
        return True


def is_alive(one: psutil.Process) -> bool:
    try:
        return one.is_running() and one.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class NeverHeld(RecordingControl):
    """Does not hold the run any more."""

    def holds_until(self) -> float:
        return launcher.now() - 1


def test_nothing_begins_once_the_time_is_over(tmp_path):
    ended = run(tmp_path, "open('running', 'w')", NeverHeld())

    assert ended.unfed
    assert not (tmp_path / "running").exists()


def test_program_that_nobody_holds_any_more_is_interrupted_once_and_ends_by_itself(tmp_path):
    ended = run(tmp_path, GENTLE, HeldUntilReady())

    assert ended == Ended(exit_code=0, cancelled=None, timed_out=False, unfed=True)
    assert (tmp_path / "ended").read_text() == "1"


def test_program_that_nobody_holds_any_more_is_killed_after_the_grace_period(tmp_path):
    ended = run(tmp_path, STUBBORN, HeldUntilReady(), grace=0.2)

    assert (ended.exit_code, ended.unfed) == (-signal.SIGKILL, True)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process adopt orphans")
def test_who_has_left_the_group_does_not_survive_the_program(tmp_path):
    control = RecordingControl()

    ended = run(tmp_path, LEAVES_SOMEBODY, control)

    assert ended.exit_code == 0
    assert not psutil.pid_exists(int(control.seen[0]))


def test_program_ends_gently_when_its_worker_is_killed(worker):
    killed = worker(GENTLE)
    program = killed.program()

    killed.process.kill()

    wait_for(gone(killed.launcher, program), "launcher and program to end")
    assert (killed.folder / "ended").read_text() == "1"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process adopt orphans")
def test_nothing_survives_when_a_worker_is_killed_whose_program_ignores_interrupts(worker):
    killed = worker(STUBBORN, grace=0.5)
    program, escaped = killed.program(), killed.escaped()

    killed.process.kill()

    wait_for(gone(killed.launcher, program, escaped), "everything to end")


def test_program_ends_gently_when_its_worker_is_stopped(worker):
    stopped = worker(GENTLE, seconds=HELD_SECONDS)
    program = stopped.program()

    stopped.process.send_signal(signal.SIGSTOP)

    wait_for(gone(program), "the program to end")
    assert (stopped.folder / "ended").read_text() == "1"


def test_stopped_worker_learns_afterwards_that_its_time_was_over(worker):
    stopped = worker(GENTLE, seconds=HELD_SECONDS)
    program = stopped.program()

    stopped.process.send_signal(signal.SIGSTOP)
    wait_for(gone(program), "the program to end")
    stopped.process.send_signal(signal.SIGCONT)

    words, _ = stopped.process.communicate()
    assert "unfed=True" in words


def test_program_ends_when_its_launcher_goes_on_after_having_been_stopped_with_the_worker(worker):
    stopped = worker(GENTLE, seconds=HELD_SECONDS)
    program = stopped.program()
    stopped.process.send_signal(signal.SIGSTOP)
    stopped.launcher.send_signal(signal.SIGSTOP)
    time.sleep(HELD_SECONDS + 0.5)
    assert is_alive(program)

    stopped.launcher.send_signal(signal.SIGCONT)

    wait_for(gone(program), "the program to end")
    assert (stopped.folder / "ended").read_text() == "1"


class StoppingLauncher(RecordingControl):
    """Stops the launcher as soon as its program runs, and holds the run for some seconds at a time."""

    def lines(self, lines: list[str]) -> None:
        super().lines(lines)
        os.kill(self.groups[0], signal.SIGSTOP)

    def holds_until(self) -> float:
        return launcher.now() + HELD_SECONDS


def test_launcher_that_was_stopped_is_killed_with_its_program_by_a_worker_that_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "LAUNCHER_SECONDS", 0.2)
    ended = run(tmp_path, STUBBORN, StoppingLauncher(stop_when=lambda seen: "ready" in seen), grace=0.2)

    assert ended.cancelled == "asked to stop"
    assert has_ended(tmp_path, "running")
    assert has_ended(tmp_path, "escaped")


def test_program_whose_launcher_was_stopped_is_ended_gently_by_the_worker_that_goes_on(tmp_path):
    says_little = GENTLE.replace(" * 1000", "")
    ended = run(tmp_path, says_little, StoppingLauncher(), grace=5)

    assert ended == Ended(exit_code=-signal.SIGKILL, cancelled=None, timed_out=False, unfed=False)
    assert (tmp_path / "ended").read_text() == "1"


class TakingTheStatus(RecordingControl):
    """Kills the launcher, and takes from the worker how it ended."""

    def lines(self, lines: list[str]) -> None:
        super().lines(lines)
        os.kill(self.groups[0], signal.SIGKILL)
        os.waitpid(self.groups[0], 0)


def test_launcher_that_has_told_nothing_is_no_success_even_if_nobody_knows_how_it_ended(tmp_path):
    ended = run(tmp_path, GENTLE, TakingTheStatus(), grace=5)

    assert ended.exit_code == -signal.SIGKILL
    assert has_ended(tmp_path, "running")


def test_nothing_survives_whose_launcher_was_stopped_and_that_ignores_interrupts(tmp_path):
    run(tmp_path, STUBBORN, StoppingLauncher(), grace=0.2)

    assert has_ended(tmp_path, "running")
    assert has_ended(tmp_path, "escaped")


def test_program_whose_launcher_was_killed_is_ended_by_the_worker(worker):
    orphaned = worker(GENTLE)
    program = orphaned.program()

    orphaned.launcher.kill()

    words, _ = orphaned.process.communicate()
    assert "exit_code=-9" in words
    assert not is_alive(program)


def test_worker_that_reads_nothing_delays_the_program_only_while_it_holds_it(worker):
    floods = GENTLE.replace("while count == 0: time.sleep(0.01)", "while count == 0: print('x' * 65_000)")
    stopped = worker(floods, seconds=HELD_SECONDS)
    program = stopped.program()

    stopped.process.send_signal(signal.SIGSTOP)

    wait_for(gone(program, stopped.launcher), "the program to end")
    assert (stopped.folder / "ended").read_text() == "1"


def test_signals_to_the_launcher_itself_do_not_end_it(worker):
    lives = worker(STUBBORN, grace=1)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        lives.launcher.send_signal(number)
    time.sleep(0.3)

    assert is_alive(lives.launcher)
    assert is_alive(lives.program())


def used_by_children() -> float:
    """Seconds of a processor that all children which have ended so far have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_launcher_costs_little(tmp_path):
    before = used_by_children()
    for _ in range(2):
        subprocess.run([stand_in(tmp_path, "pass")], check=True)
    between = used_by_children()

    run(tmp_path, "pass", RecordingControl())

    # It and the program, which is a Python as well, beside two of these that do nothing on this machine.
    assert used_by_children() - between < 4 * (between - before)
