"""Starts the parts of Bluegreen, keeps their output, and ends them all: on a signal, or as soon as one of them ends.

Why not honcho's Manager: it signals a part's whole process group (Celery's pool dies of that, instead of
finishing its task), kills after a fixed 5 seconds, starts everything at once, and leaves everything behind
when it is killed itself.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from types import FrameType

import psutil

from infra.local.errors import LocalError
from infra.local.guardian import Guardian, kill_family
from infra.local.output import follow, part_logger

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
READY_SECONDS = 90
POLL_SECONDS = 0.05


class StopAsked(Exception):
    """Ctrl-C, or a signal that says the same."""


class PartEnded(LocalError):
    """A part ended by itself; the message says which, how, and where its log is."""


def _at_once() -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Part:
    """A program that runs for as long as Bluegreen does (or once), with exactly this environment."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    is_ready: Callable[[], bool] = _at_once
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 10
    start_again_code: int | None = None
    """The exit code by which it asks to be started again."""


@dataclass(frozen=True, kw_only=True)
class _Running:
    part: Part
    process: subprocess.Popen[bytes]
    reader: Thread


class Supervisor:
    """Owns the processes of the parts. Used as ``with supervising(…) as supervisor``."""

    def __init__(self, folder: Path, logs: Path, guardian: Guardian) -> None:
        self._folder = folder
        self._logs = logs
        self._guardian = guardian
        self._running: list[_Running] = []
        self._asked_to_stop = 0
        self.say = part_logger("bluegreen", logs).info

    def start(self, parts: Sequence[Part]) -> None:
        """Starts the parts together and returns when all are ready.

        Raises PartEnded if any part ends meanwhile, StopAsked on Ctrl-C, LocalError if one doesn't get ready
        in time.
        """
        for part in parts:
            self._running.append(self._launch(part))
        deadline = time.monotonic() + READY_SECONDS
        for part in parts:
            while not part.is_ready():
                self._wait_a_little()
                if time.monotonic() > deadline:
                    raise LocalError(
                        f"{part.name} isn't ready after {READY_SECONDS} s. Its log: {self._log(part)}"
                    )

    def run_once(self, part: Part) -> None:
        """Runs a part to its end. Raises PartEnded if it fails, or another part ends meanwhile; StopAsked on Ctrl-C."""
        running = self._launch(part)
        self._running.append(running)
        while running.process.poll() is None:
            self._wait_a_little(but=running)
        self._running.remove(running)
        self._bury(running)
        if running.process.returncode != 0:
            raise self._ended(running)

    def watch(self) -> None:
        """Returns never: raises PartEnded when a part ends, StopAsked on Ctrl-C."""
        while True:
            self._wait_a_little()

    def stop(self) -> None:
        """Ends all parts, the last started first, each within its grace time; a second Ctrl-C ends all at once."""
        if self._asked_to_stop:
            self.say("Stopping what runs. Another Ctrl-C ends it at once.")
        while self._running:
            running = self._running.pop()
            self._stop(running)

    def note_signal(self, number: int, frame: FrameType | None) -> None:
        """The signal handler: only notes it, so that nothing is interrupted half-way."""
        self._asked_to_stop += 1

    def _launch(self, part: Part) -> _Running:
        process = subprocess.Popen(
            part.command,
            env=dict(part.environment),
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C on the terminal is for the supervisor only
        )
        self._guardian.watch(process.pid)
        assert process.stdout is not None  # noqa: S101 - it was asked for as a pipe
        reader = follow(process.stdout, part_logger(part.name, self._logs).info)
        return _Running(part=part, process=process, reader=reader)

    def _wait_a_little(self, but: _Running | None = None) -> None:
        time.sleep(POLL_SECONDS)
        if self._asked_to_stop:
            raise StopAsked
        for number, running in enumerate(self._running):
            if running is but or running.process.poll() is None:
                continue
            if running.process.returncode != running.part.start_again_code:
                raise self._ended(running)
            self._running[number] = self._start_again(running)

    def _start_again(self, running: _Running) -> _Running:
        self.say(f"{running.part.name} asks to be started again. Its log: {self._log(running.part)}")
        self._bury(running)
        return self._launch(running.part)

    def _stop(self, running: _Running) -> None:
        # Looked up first: whoever loses its parent while that ends is still to be found.
        family = _family(running.process)
        running.process.send_signal(running.part.stop_signal)
        deadline = time.monotonic() + running.part.grace_seconds
        while running.process.poll() is None and time.monotonic() < deadline and self._asked_to_stop < 2:
            time.sleep(POLL_SECONDS)
        if running.process.returncode is None:
            self.say(f"{running.part.name} didn't end by itself: it is killed.")
        kill_family(family)
        self._bury(running)

    def _bury(self, running: _Running) -> None:
        """Ends what a part has left in its process group, and keeps the last of what it said."""
        running.process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nothing left; on macOS: zombies only
            os.killpg(running.process.pid, signal.SIGKILL)
        self._guardian.forget(running.process.pid)
        running.reader.join(timeout=2)

    def _ended(self, running: _Running) -> PartEnded:
        running.reader.join(timeout=2)
        code = running.process.returncode
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return PartEnded(f"{running.part.name} {how}. Its log: {self._log(running.part)}")

    def _log(self, part: Part) -> Path:
        return self._logs / f"{part.name}.log"


def _family(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    try:
        parent = psutil.Process(process.pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


@contextlib.contextmanager
def supervising(folder: Path, logs: Path, *, keep_open: Sequence[int] = ()) -> Iterator[Supervisor]:
    """A supervisor whose parts run in ``folder`` and log to ``logs``; all of them have ended when the context is left.

    ``keep_open``: see Guardian.
    """
    logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    with Guardian(keep_open) as guardian:
        supervisor = Supervisor(folder, logs, guardian)
        before = {number: signal.signal(number, supervisor.note_signal) for number in STOP_SIGNALS}
        try:
            yield supervisor
        finally:
            supervisor.stop()
            for number, handler in before.items():
                signal.signal(number, handler)
