"""The environment of what runs, for a command beside it."""

import subprocess

from infra.local import manage
from infra.local.paths import ROOT


def test_a_command_has_the_environment_of_what_runs_and_no_other(tmp_path, monkeypatch):
    commands = []

    def run(command: list[str], *, env: dict[str, str], check: bool) -> "subprocess.CompletedProcess[str]":
        commands.append((command[1:], env))
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setenv("BLUEGREEN_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(subprocess, "run", run)
    with manage.environment_told(tmp_path, {"DATABASE_URL": "postgres://here"}):
        assert (tmp_path / manage.FILE_NAME).stat().st_mode & 0o777 == 0o600
        assert manage.main(["emergency_rollback", "shop"]) == 3

    assert commands == [
        ([ROOT / "manage.py", "emergency_rollback", "shop"], {"DATABASE_URL": "postgres://here"})
    ]


def test_where_nothing_runs_it_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BLUEGREEN_DATA_DIR", str(tmp_path))

    assert manage.main(["audit_verify"]) == 1
    assert capsys.readouterr().err == f"No Bluegreen runs on {tmp_path}: start it by `make run`.\n"
