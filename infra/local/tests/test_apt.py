import os

import pytest

from infra.local import apt


@pytest.fixture
def apt_get(tmp_path, monkeypatch):
    """Puts a script in the place of apt-get, on a machine where one is root."""

    def put(script: str) -> None:
        program = tmp_path / "apt-get"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    return put


def test_what_is_installed_is_said_in_one_line(apt_get, capfd):
    apt_get("echo Unpacking; echo Setting up >&2")
    apt.install(["postgresql", "redis-server"])
    assert capfd.readouterr() == ("", "Installing postgresql, redis-server by apt-get.\n")


def test_what_fails_is_shown_with_its_last_lines_and_the_rest_is_tried(apt_get, capfd):
    apt_get('[ "$1" = update ] && { echo "E: no route to deb.debian.org"; exit 100; }; echo Unpacking')
    apt.install(["chromium"])
    said = capfd.readouterr().err
    assert "apt-get update failed:\nE: no route to deb.debian.org" in said
    assert "Unpacking" not in said


def test_nothing_is_asked_and_no_server_is_started(apt_get, tmp_path):
    apt_get(f'echo "$DEBIAN_FRONTEND $RUNLEVEL $*" >> {tmp_path}/asked')
    apt.install(["redis-server"])
    assert (tmp_path / "asked").read_text().splitlines() == [
        "noninteractive 1 update",
        "noninteractive 1 install --yes --no-install-recommends redis-server",
    ]


def test_only_root_installs_and_only_where_there_is_apt_get(apt_get, tmp_path, monkeypatch):
    assert not apt.is_usable()
    apt_get("true")
    assert apt.is_usable()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not apt.is_usable()
