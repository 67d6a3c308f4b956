"""Starts Terraform and follows it to its end: the only place that uses ``subprocess``."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from terraform_runner.domain.output import Output
from terraform_runner.errors import TerraformMissing
from terraform_runner.process_identity import ProcessIdentity, end_group, kill_group, signal_group

POLL_SECONDS = 0.1
READ_BYTES = 65_536
# What Terraform writes (state, its backups, plans) is for this user only.
UMASK = 0o077


class Control(Protocol):
    """What a run's owner wants to know, and can ask for, while it goes on."""

    def lines(self, lines: list[str]) -> None:
        """Take output, already masked."""

    def should_stop(self) -> str | None:
        """Why the run has to stop; None if it may go on. Asked often: must be quick."""

    def process_started(self, group: int, started: float) -> None:
        """Learn which process group runs now. May raise, which ends that group."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command. Its standard output goes to the file ``document`` if there is one, else to the log."""

    argv: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str]
    document: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When a command has to have ended (``time.monotonic``), and how long it may take to end after SIGINT."""

    deadline: float
    grace_seconds: float


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended. ``cancelled`` is the reason if it was asked to stop."""

    exit_code: int
    cancelled: str | None
    timed_out: bool


def run(command: Command, *, limits: Limits, control: Control, output: Output) -> Ended:
    """Run a command in a process group of its own, of which nothing is left when this returns or raises.

    1. Its output goes line by line to ``control``, standard error together with standard output.
    2. When it has to stop, the group gets SIGINT once, which Terraform takes as "finish what you are doing, write
       the state, free the lock"; a second one would make it leave at once. After the grace period: SIGKILL.

    Raises TerraformMissing if it cannot be started.
    """
    with _started(command, limits) as (process, pipe):
        identity = ProcessIdentity.of(process.pid)
        if identity is not None:
            control.process_started(process.pid, identity.started)
        stop = _Stop(process.pid, limits, control)
        _follow(process, pipe, stop, control, output)
        return Ended(exit_code=process.wait(), cancelled=stop.cancelled, timed_out=stop.timed_out)


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


class _Stop:
    """Ends a group that has to stop, without waiting: ``check`` is called again and again."""

    def __init__(self, group: int, limits: Limits, control: Control) -> None:
        self.cancelled: str | None = None
        self.timed_out = False
        self._group = group
        self._limits = limits
        self._control = control
        self._kill_at: float | None = None

    def check(self) -> None:
        now = time.monotonic()
        if self._kill_at is not None:
            if now >= self._kill_at:
                signal_group(self._group, signal.SIGKILL)
            return
        self.cancelled = self._control.should_stop()
        self.timed_out = self.cancelled is None and now >= self._limits.deadline
        if self.cancelled is not None or self.timed_out:
            signal_group(self._group, signal.SIGINT)
            self._kill_at = now + self._limits.grace_seconds


@contextmanager
def _started(command: Command, limits: Limits) -> Iterator[tuple["subprocess.Popen[bytes]", IO[bytes]]]:
    process, pipe = _start(command)
    try:
        yield process, pipe
    finally:
        leader = ProcessIdentity.of(process.pid) if process.poll() is None else None
        if leader is not None:  # an exception is on its way
            end_group(leader, grace_seconds=limits.grace_seconds)
        kill_group(process.pid)  # what the leader left behind, e.g. a provider
        process.wait()
        pipe.close()


def _start(command: Command) -> tuple["subprocess.Popen[bytes]", IO[bytes]]:
    reading, writing = os.pipe()
    document = None if command.document is None else command.document.open("xb")
    try:
        process = subprocess.Popen(
            command.argv,
            cwd=command.directory,
            env=command.environment,
            stdin=subprocess.DEVNULL,
            stdout=document or writing,
            stderr=writing,
            start_new_session=True,
            umask=UMASK,
        )
    except OSError as error:
        os.close(reading)
        raise TerraformMissing(f"{command.argv[0]} cannot be started: {error}. {TO_DO}") from error
    finally:
        os.close(writing)
        if document is not None:
            document.close()
    return process, os.fdopen(reading, "rb", buffering=0)


def _follow(
    process: "subprocess.Popen[bytes]", pipe: IO[bytes], stop: _Stop, control: Control, output: Output
) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            if selector.select(POLL_SECONDS):
                data = pipe.read(READ_BYTES)
                if not data:
                    break
                _pass_on(output.feed(data), control)
            elif process.poll() is not None:
                break  # ended, while something that it started keeps the pipe open
            stop.check()
    _pass_on(output.end(), control)
    while process.poll() is None:  # it closed its output and goes on
        stop.check()
        time.sleep(POLL_SECONDS)


def _pass_on(lines: list[str], control: Control) -> None:
    if lines:
        control.lines(lines)
