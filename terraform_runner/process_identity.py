"""Which process it is, beyond its number: numbers are used again."""

import contextlib
import math
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

# The kernel counts a process's start in hundredths of a second; the rest is the rounding of floats.
SAME_START_SECONDS = 0.05
# A killed process goes as soon as the system call that it is in lets it.
KILL_SECONDS = 5.0
POLL_SECONDS = 0.01


@dataclass(frozen=True, kw_only=True)
class ProcessIdentity:
    """A process: its number, and its start in seconds after the machine's, which no clock change moves."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity | None":
        """The identity of a process that exists now, zombies included."""
        try:
            created = psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            return None
        return cls(pid=pid, started=created - psutil.boot_time())

    def is_same(self, other: "ProcessIdentity | None") -> bool:
        """Whether both are the same process."""
        return (
            other is not None
            and self.pid == other.pid
            and math.isclose(self.started, other.started, rel_tol=0, abs_tol=SAME_START_SECONDS)
        )

    def is_running(self) -> bool:
        """Whether this very process still runs: a zombie does not."""
        if not self.is_same(ProcessIdentity.of(self.pid)):
            return False
        try:
            return bool(psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False


def end_group(leader: ProcessIdentity, *, grace_seconds: float) -> None:
    """End the process group that this leader made: SIGINT once, a grace period, then SIGKILL to what is left.

    Does nothing if the leader's number belongs to another process now. No kernel gives a group's number to a
    new process while a member lives.
    """
    now = ProcessIdentity.of(leader.pid)
    if now is not None and not leader.is_same(now):
        return
    members = live_members(leader.pid)
    if members and signal_group(leader.pid, signal.SIGINT):
        _wait_for_end(members, seconds=grace_seconds)
    kill_group(leader.pid)


def kill_group(group: int) -> None:
    """SIGKILL to a group, and to its leader's descendants outside of it; returns when they are gone."""
    outside = _descendants(group)
    if signal_group(group, signal.SIGKILL):
        for process in outside:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        _wait_for_end([*live_members(group), *outside], seconds=KILL_SECONDS)


def signal_group(group: int, number: signal.Signals) -> bool:
    """Send a signal to a process group. False if there is none of that number."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # the latter on macOS, where only zombies are in it
        return False
    return True


def live_members(group: int) -> list[psutil.Process]:
    """The processes of a group, without zombies, which nothing can end."""
    return [process for process in psutil.process_iter() if _is_live_member(process, group)]


def _wait_for_end(processes: Sequence[psutil.Process], *, seconds: float) -> None:
    """Wait until none of these lives, so long at most.

    psutil's own waiting would take the exit status of a child, which then looks like success to whoever started it.
    """
    until = time.monotonic() + seconds
    while any(_lives(process) for process in processes) and time.monotonic() < until:
        time.sleep(POLL_SECONDS)


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _is_live_member(process: psutil.Process, group: int) -> bool:
    try:
        return os.getpgid(process.pid) == group and _lives(process)
    except ProcessLookupError:
        return False
