"""Waiting for what another process does."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil

SECONDS = 60


def wait_for(condition: Callable[[], object], what: str, *, seconds: float = SECONDS) -> None:
    """Returns as soon as ``condition`` holds; fails the test when it doesn't for a minute, or so long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited for {what} in vain"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    """Whether no such process runs any more; one that nobody has fetched yet doesn't count."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def pid_in(file: Path, *, seconds: float = SECONDS) -> int:
    """The process id that another process writes to ``file``."""
    wait_for(
        lambda: file.exists() and file.read_text().endswith("\n"), f"{file} to be written", seconds=seconds
    )
    return int(file.read_text())
