"""Everything, as ``make run`` starts it: its own servers, sandbox, web process, worker and scheduler."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.local.paths import ROOT
from infra.local.tests.ports import free_port
from infra.sandbox.info import FILE_NAME, SandboxInfo, read_info

# A database, broker or sandbox of the test session isn't among them: its own ones are what is tested.
INHERITED = ("PATH", "HOME", "BLUEGREEN_TERRAFORM_BIN")
READY_SECONDS = 180


@dataclass(frozen=True, kw_only=True)
class Bluegreen:
    """Where it is, how the demo's people sign in, and the AWS that it works with."""

    address: str
    password: str
    sandbox: SandboxInfo


@contextmanager
def running_bluegreen(data_dir: Path, *, environment: Mapping[str, str]) -> Iterator[Bluegreen]:
    """Starts everything in a data directory of its own, with these settings, and ends it as Ctrl-C does."""
    port = free_port()
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    own = {"BLUEGREEN_DATA_DIR": str(data_dir), "PORT": str(port)}
    with (data_dir.parent / "output.txt").open("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.local"],
            cwd=ROOT,
            env={**inherited, **environment, **own},
            stdout=output,
            stderr=output,
        )
        try:
            _wait_until_ready(process, port, Path(output.name))
            yield Bluegreen(
                address=f"http://127.0.0.1:{port}",
                password=json.loads((data_dir / "secrets.json").read_text())["demo_password"],
                sandbox=read_info(data_dir / "sandbox" / FILE_NAME),
            )
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int, output: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not _is_healthy(port):
        ended = process.poll() is not None or time.monotonic() > deadline
        assert not ended, f"Bluegreen isn't ready:\n{output.read_text()}"
        time.sleep(0.2)


def _is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
