"""A sandbox for tests: a process of its own, on free ports; and faults that are placed at its AWS calls."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.sandbox.info import FILE_NAME, SandboxInfo, read_info

_ROOT = Path(__file__).parents[2]
_READY_SECONDS = 60


@contextmanager
def running_sandbox(data_dir: Path) -> Iterator[SandboxInfo]:
    """Run a sandbox that keeps what it holds in `data_dir`, and end it (SIGTERM) afterwards.

    Raises RuntimeError with its output if it ends before it is ready, or isn't ready in a minute.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = [sys.executable, "-m", "infra.sandbox", "--data-dir", str(data_dir.resolve())]
    log = data_dir / "sandbox.log"
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=_ROOT, stdout=output, stderr=output)  # noqa: S603 - ourselves
    try:
        yield _wait_until_ready(process, data_dir / FILE_NAME, log)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def fault(info: SandboxInfo, **values: Any) -> Iterator[None]:
    """Place a fault (see ``faults.Fault``) for as long as the context lasts."""
    _faults(info, "POST", values)
    try:
        yield
    finally:
        _faults(info, "DELETE")


def held(info: SandboxInfo) -> int:
    """How many calls are held or delayed now."""
    return sum(placed["held"] for placed in json.loads(_faults(info, "GET")))


def seen(info: SandboxInfo) -> int:
    """How many calls of the placed faults' kinds there were, those that suffered nothing included."""
    return sum(placed["seen"] for placed in json.loads(_faults(info, "GET")))


def _faults(info: SandboxInfo, method: str, values: object = None) -> bytes:
    body = None if values is None else json.dumps(values).encode()
    request = urllib.request.Request(  # noqa: S310 - the sandbox's own address
        f"{info.endpoint_url}/-/sandbox/faults", method=method, data=body
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        content: bytes = answer.read()
        return content


def _wait_until_ready(process: "subprocess.Popen[bytes]", file: Path, log: Path) -> SandboxInfo:
    deadline = time.monotonic() + _READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if info := _info_of(process.pid, file):
            return info
        time.sleep(0.05)
    raise RuntimeError(f"the sandbox isn't ready:\n{log.read_text()}")


def _info_of(pid: int, file: Path) -> SandboxInfo | None:
    """Return what this process wrote about itself, not what an earlier one has left."""
    try:
        info = read_info(file)
    except FileNotFoundError:
        return None
    return info if info.pid == pid else None
