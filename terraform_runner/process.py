"""Starts Terraform under a launcher and follows it to its end: the only place that uses ``subprocess``."""

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from terraform_runner import launcher
from terraform_runner.domain.output import Output
from terraform_runner.domain.tools import Tools
from terraform_runner.errors import TerraformMissing
from terraform_runner.points import Point, reached
from terraform_runner.process_identity import ProcessIdentity, end_group, kill_group, signal_group

POLL_SECONDS = 0.1
READ_BYTES = 65_536
LAUNCHER = Path(__file__).with_name("launcher.py")
# So much later than it should have ended Terraform, or have answered, a launcher is taken for stopped.
LAUNCHER_SECONDS = 5.0
# What Terraform writes (state, its backups, plans) is for this user only.
UMASK = 0o077


class Control(Protocol):
    """What a run's owner wants to know, and can ask for, while it goes on."""

    def lines(self, lines: list[str]) -> None:
        """Take output, already masked."""

    def should_stop(self) -> str | None:
        """Why the run has to stop; None if it may go on. Asked often: must be quick."""

    def holds_until(self) -> float:
        """Until when (``launcher.now``) Terraform may run, whatever becomes of its owner. Asked often."""

    def process_started(self, group: int, started: float) -> None:
        """Learn which process group is about to run. May raise, and then nothing was run."""

    def begins(self, tools: Tools) -> None:
        """Learn by what the plan is made, or applied, from now on. May raise, likewise."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command. Its standard output goes to the file ``document`` if there is one, else to the log.

    ``point`` is reached when it has begun to print.
    """

    argv: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str]
    document: Path | None = None
    point: Point | None = None


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When a command has to have ended (``time.monotonic``), and how long it may take to end after SIGINT."""

    deadline: float
    grace_seconds: float


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended. ``cancelled`` is the reason if it was asked to stop, ``unfed`` if its time was over."""

    exit_code: int
    cancelled: str | None
    timed_out: bool
    unfed: bool


def run(command: Command, *, limits: Limits, control: Control, output: Output) -> Ended:
    """Run a command under a launcher, in a process group of its own; nothing of it is left afterwards.

    1. Its output goes line by line to ``control``, standard error together with standard output.
    2. It begins, and goes on, only for as long as ``control`` holds the run; the launcher sees to that, so that it is
       true of a worker which was killed or stopped too. A launcher that was stopped alone is ended with it.
    3. When it has to stop, the launcher interrupts it once and kills it after the grace period.

    Raises TerraformMissing if it cannot be started.
    """
    with _launched(command, limits) as launched:
        identity = ProcessIdentity.of(launched.group)
        if identity is not None:
            control.process_started(identity.pid, identity.started)
        stop = _Stop(launched, limits, control)
        _follow(launched, stop, control, output, command.point)
        return _ended(command, launched, stop)


def read(argv: tuple[str, ...], *, environment: Mapping[str, str], directory: Path, seconds: float) -> str:
    """What a quick command prints. Raises TerraformMissing if it cannot be started or does not succeed."""
    try:
        done = subprocess.run(
            argv, cwd=directory, env=environment, capture_output=True, timeout=seconds, check=True, text=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise TerraformMissing(f"{argv[0]} cannot be run: {error}. {TO_DO}") from error
    return done.stdout


TO_DO = "Install Terraform 1.10 or newer, or name its binary with BLUEGREEN_TERRAFORM_BIN."


@dataclass(frozen=True, kw_only=True)
class _Launched:
    """A launcher: the process, what Terraform prints, and what is said to it and heard from it."""

    process: "subprocess.Popen[bytes]"
    pipe: IO[bytes]
    words: socket.socket
    heard: bytearray = field(default_factory=bytearray)

    @property
    def group(self) -> int:
        """The process group, which is Terraform's too."""
        return self.process.pid

    def say(self, line: str) -> None:
        """Say something to it; one that is stopped hears it later, or never."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            self.words.send(f"{line}\n".encode())

    def answers(self) -> bool:
        """Whether it has answered since this was asked before."""
        so_far = len(self.heard)
        with contextlib.suppress(BlockingIOError, ConnectionError):
            self.heard.extend(self.words.recv(READ_BYTES))
        return len(self.heard) > so_far

    def report(self) -> tuple[str, str]:
        """How it says that Terraform ended: see ``launcher``. Nothing, if the launcher itself was killed."""
        self.answers()
        word, _, rest = self.heard.decode().rpartition("\n")[2].partition(" ")
        return word, rest


class _Stop:
    """Sees that Terraform goes on no longer than it may, without waiting: ``check`` is called again and again."""

    def __init__(self, launched: _Launched, limits: Limits, control: Control) -> None:
        self.cancelled: str | None = None
        self.timed_out = False
        self._launched = launched
        self._limits = limits
        self._control = control
        self._fed_until = float("-inf")
        self._unheard_until = float("inf")
        self._kill_at: float | None = None

    def check(self) -> None:
        now = time.monotonic()
        if self._kill_at is not None:
            if now >= self._kill_at:
                kill_group(self._launched.group)
            return
        self._feed()
        self.cancelled = self._control.should_stop()
        self.timed_out = self.cancelled is None and now >= self._limits.deadline
        if self.cancelled is not None or self.timed_out:
            self._launched.say("stop")
            self._kill_at = now + self._limits.grace_seconds + LAUNCHER_SECONDS
        elif self._nobody_listens():
            signal_group(self._launched.group, signal.SIGINT)
            self._kill_at = now + self._limits.grace_seconds

    def _nobody_listens(self) -> bool:
        """Whether the launcher was stopped, so that Terraform would go on whatever becomes of this worker."""
        return self._unheard_until + LAUNCHER_SECONDS <= launcher.now() < self._fed_until

    def _feed(self) -> None:
        if self._launched.answers():
            self._unheard_until = float("inf")
        until = self._control.holds_until()
        if until > self._fed_until:
            self._launched.say(f"until {until}")
            self._fed_until = until
            self._unheard_until = min(self._unheard_until, until)


def _ended(command: Command, launched: _Launched, stop: _Stop) -> Ended:
    launched.process.wait()
    word, rest = launched.report()
    if word == "absent":
        raise TerraformMissing(f"{command.argv[0]} cannot be started: {rest}. {TO_DO}")
    return Ended(
        # A launcher that says nothing was killed, whatever its status: nobody knows that Terraform has succeeded.
        exit_code=int(rest) if word else launched.process.returncode or -signal.SIGKILL,
        cancelled=stop.cancelled,
        timed_out=stop.timed_out,
        unfed=word == "unfed",
    )


@contextmanager
def _launched(command: Command, limits: Limits) -> Iterator[_Launched]:
    launched = _launch(command, limits)
    try:
        yield launched
    finally:
        with contextlib.suppress(OSError):  # it has ended; if it goes on, an exception is on its way
            launched.words.shutdown(socket.SHUT_WR)
        _wait_for_end(launched, limits)
        launched.words.close()
        launched.pipe.close()


def _wait_for_end(launched: _Launched, limits: Limits) -> None:
    """The launcher ends Terraform and itself; for one that was stopped or killed that is done here."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        launched.process.wait(limits.grace_seconds + LAUNCHER_SECONDS)
    if launched.process.returncode:
        end_group(ProcessIdentity(pid=launched.group, started=0), grace_seconds=limits.grace_seconds)
    kill_group(launched.group)
    launched.process.wait()


def _launch(command: Command, limits: Limits) -> _Launched:
    reading, writing = os.pipe()
    words, launchers_words = socket.socketpair()
    words.setblocking(False)
    document = None if command.document is None else command.document.open("xb")
    kind = "log" if document is None else "document"
    try:
        process = subprocess.Popen(
            (sys.executable, "-I", "-S", str(LAUNCHER), str(limits.grace_seconds), kind, *command.argv),
            cwd=command.directory,
            env=command.environment,
            stdin=launchers_words.fileno(),
            stdout=document or writing,
            stderr=writing,
            start_new_session=True,
            umask=UMASK,
        )
    finally:
        os.close(writing)
        launchers_words.close()
        if document is not None:
            document.close()
    return _Launched(process=process, pipe=os.fdopen(reading, "rb", buffering=0), words=words)


def _follow(launched: _Launched, stop: _Stop, control: Control, output: Output, point: Point | None) -> None:
    stop.check()
    with selectors.DefaultSelector() as selector:
        selector.register(launched.pipe, selectors.EVENT_READ)
        while True:
            if selector.select(POLL_SECONDS):
                data = launched.pipe.read(READ_BYTES)
                if not data:
                    break
                _pass_on(output.feed(data), control)
                if point is not None:
                    reached(point)
                    point = None
            stop.check()
    _pass_on(output.end(), control)


def _pass_on(lines: list[str], control: Control) -> None:
    if lines:
        control.lines(lines)
