"""Runs one embedded server for as long as a context lasts: what tests and benchmarks need of it."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from infra.local.errors import LocalError
from infra.local.guardian import Guardian

START_SECONDS = 60
STOP_SECONDS = 20


class Server(Protocol):
    """A server that can be started: its command in the foreground, and how to know that it answers."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def command(self) -> list[str]:
        """Runs it in the foreground."""

    @property
    def stop_signal(self) -> signal.Signals:
        """Makes it end at once and in good order."""

    def is_ready(self) -> bool:
        """Whether it answers its clients."""


@contextmanager
def running(server: Server, log: Path) -> Iterator[None]:
    """Starts ``server``, with its output in ``log``, and ends it; it also ends when this process is killed.

    Raises LocalError with the end of the log when it doesn't start.
    """
    with Guardian() as guardian, log.open("wb") as output:
        process = subprocess.Popen(
            server.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
        guardian.watch(process.pid)
        try:
            _wait_until_ready(server, process, log)
            yield
        finally:
            _stop(process, server.stop_signal)
            guardian.forget(process.pid)


def _wait_until_ready(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not server.is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise LocalError(f"{server.name} didn't start:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals) -> None:
    process.send_signal(stop_signal)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
