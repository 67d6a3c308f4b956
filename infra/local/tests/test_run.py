"""``make run`` itself: the command that it ends in, with all real parts, on a data directory of its own."""

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from infra.local.paths import ROOT
from infra.local.tests.ports import free_port
from infra.local.tests.waiting import is_gone, wait_for

pytestmark = pytest.mark.process

# DATABASE_URL isn't among them: the embedded server is what is tested.
INHERITED = ("PATH", "HOME", "BLUEGREEN_TERRAFORM_BIN")


class Start:
    """One start of everything."""

    def __init__(self, data_dir: Path, port: int | str) -> None:
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        self.address = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "infra.local"],
            cwd=ROOT,
            env={**inherited, "BLUEGREEN_DATA_DIR": str(data_dir), "PORT": str(port)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read_until(self, text: str) -> str:
        """What is printed up to ``text``, which has to come."""
        printed = ""
        for line in self.process.stdout or ():
            printed += line
            if text in line:
                return printed
        raise AssertionError(f"{text!r} wasn't printed:\n{printed}")

    def parts(self) -> dict[str, psutil.Process]:
        """The processes that it started, by what their command lines say."""
        return {" ".join(child.cmdline()): child for child in psutil.Process(self.process.pid).children()}

    def end(self) -> tuple[int, str]:
        """Waits for the end: exit code, and the rest of what is printed."""
        rest, _ = self.process.communicate()
        return self.process.returncode, rest


def manage(data_dir: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """A command of ``manage.py`` beside what runs on this data directory, if something does."""
    return subprocess.run(
        [sys.executable, "-m", "infra.local.manage", *command],
        cwd=ROOT,
        env={**os.environ, "BLUEGREEN_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., Start]]:
    starts: list[Start] = []

    def begin(port: int | str | None = None, data_dir: Path = tmp_path / "data") -> Start:
        starts.append(Start(data_dir, free_port() if port is None else port))
        return starts[-1]

    yield begin
    for started in starts:
        started.process.kill()
        started.process.wait()
        if started.process.stdout:
            started.process.stdout.close()


@pytest.mark.parametrize("port", ["0", "65536", "eighty", "-1", "8e3", "٨٠٠٠"])
def test_port_that_is_none_is_refused_in_words(start, port):
    code, words = start(port).end()

    assert code == 1
    assert "use a number from 1 to 65535" in words


def test_taken_port_is_refused_in_words_before_anything_is_started(start, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        code, words = start(other.getsockname()[1]).end()

    assert code == 1
    assert "can't be used: Address already in use. Use another one: `make run PORT=" in words
    assert not (tmp_path / "data/postgres").exists()


def test_data_directory_that_cannot_be_used_is_refused_in_words(start, tmp_path):
    (tmp_path / "file").touch()

    code, words = start(data_dir=tmp_path / "file").end()

    assert code == 1
    assert f"The data directory {tmp_path}/file can't be used" in words


@pytest.mark.fault
@pytest.mark.terraform
def test_everything_starts_once_ends_on_interrupt_and_continues(start, tmp_path):
    first = start()
    greeting = first.read_until("the same for all of them")
    password = json.loads((tmp_path / "data/secrets.json").read_text())["demo_password"]
    assert first.address in greeting
    assert password in greeting
    with urllib.request.urlopen(f"{first.address}/healthz") as answer:
        assert answer.status == 200
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700

    assert "All is as it was recorded" in manage(tmp_path / "data", "audit_verify").stdout

    code, words = start().end()
    assert code == 1
    assert f"already runs on {tmp_path}/data: process {first.process.pid}, {first.address}" in words

    everything = psutil.Process(first.process.pid).children(recursive=True)
    first.process.send_signal(2)
    code, _ = first.end()
    assert code == 0
    wait_for(lambda: all(is_gone(process.pid) for process in everything), "all parts to end")
    assert "start it by `make run`" in manage(tmp_path / "data", "audit_verify").stderr

    second = start()
    assert password in second.read_until("the same for all of them")
    worker = next(
        process for command, process in second.parts().items() if " worker --queues=runs" in command
    )
    everything = psutil.Process(second.process.pid).children(recursive=True)
    worker.kill()
    code, words = second.end()
    assert code == 1
    assert f"worker was killed by signal 9. Its log: {tmp_path}/data/log/worker.log" in words
    wait_for(lambda: all(is_gone(process.pid) for process in everything), "all other parts to end")
