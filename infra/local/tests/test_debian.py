import os
import subprocess
from pathlib import Path

import pytest

from infra.local import debian
from infra.local.errors import LocalError


@pytest.fixture
def nothing_installed(monkeypatch, tmp_path) -> list[list[str]]:
    """A machine of which apt-get installs nothing; gives the commands that were run."""
    commands: list[list[str]] = []
    monkeypatch.setattr(debian, "POSTGRES_FOLDERS", tmp_path)
    monkeypatch.setattr("shutil.which", lambda name, **_: "/usr/bin/apt-get" if name == "apt-get" else None)

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, stdout="")

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_newest_postgresql_counts(monkeypatch, tmp_path):
    monkeypatch.setattr(debian, "POSTGRES_FOLDERS", tmp_path)
    for version in ("9", "15", "17"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin/initdb").touch()

    assert debian.find("initdb") == tmp_path / "17/bin/initdb"


def test_others_are_on_the_path(monkeypatch, tmp_path):
    (tmp_path / "redis-server").touch(mode=0o700)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert debian.find("redis-server") == tmp_path / "redis-server"


def test_what_is_missing_is_installed_as_root(nothing_installed, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    words = debian.ensure()

    assert nothing_installed[-1][-3:] == ["iproute2", "postgresql", "redis-server"]
    assert words.startswith("Not found: redis-server, initdb, postgres, ip.")
    assert "apt-get install postgresql redis-server iproute2" in words


def test_nobody_else_installs_anything_and_it_is_said(nothing_installed, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert "Tests that need them are left out" in debian.ensure()
    assert nothing_installed == []


def test_nothing_is_done_where_nothing_is_missing(nothing_installed, monkeypatch):
    monkeypatch.setattr(debian, "find", lambda _: Path("/somewhere"))

    assert debian.ensure() == ""
    assert nothing_installed == []


def test_program_that_is_not_there_is_said_in_words(nothing_installed):
    with pytest.raises(LocalError, match="There is no redis-server here"):
        debian.program("redis-server")
