import os
import sys

import pytest

from infra.local import chromium
from infra.local.errors import LocalError


@pytest.fixture(autouse=True)
def machine_without_chromium(tmp_path, monkeypatch):
    (tmp_path / "path").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("BLUEGREEN_CHROMIUM", raising=False)


def program(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("name", chromium.NAMES)
def test_one_on_path_is_taken(tmp_path, name):
    assert chromium.find() is None
    installed = program(tmp_path / "path" / name)

    assert chromium.find() == chromium.ensure(tmp_path / "no-python") == installed


def test_setting_goes_before_path(tmp_path, monkeypatch):
    program(tmp_path / "path/chromium")
    monkeypatch.setenv("BLUEGREEN_CHROMIUM", str(program(tmp_path / "chosen")))

    assert chromium.find() == tmp_path / "chosen"


def test_setting_that_names_nothing_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("BLUEGREEN_CHROMIUM", str(tmp_path / "nothing"))

    with pytest.raises(LocalError, match="which can't be run"):
        chromium.find()


def test_one_that_playwright_downloads_is_taken_where_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    place = tmp_path / ".cache/ms-playwright/chromium-1200/chrome-linux64/chrome"
    python = program(tmp_path / "python")
    python.write_text(f"#!/bin/sh\n/bin/mkdir -p {place.parent}\necho > {place}\n/bin/chmod 755 {place}\n")

    assert chromium.ensure(python) == place


def test_debian_s_package_is_taken_as_root_together_with_a_font(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    path, asked = tmp_path / "path", tmp_path / "asked"
    program(path / "apt-get").write_text(
        f'#!/bin/sh\necho "$@" >> {asked}\necho > {path}/chromium\n/bin/chmod 755 {path}/chromium\n'
    )

    assert chromium.ensure(tmp_path / "no-python") == path / "chromium"
    assert asked.read_text().split("\n")[1].endswith("chromium fonts-liberation")


def test_machine_where_none_can_be_installed_is_told_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(LocalError, match=r"couldn't be installed here\. Install Chromium"):
        chromium.ensure(program(tmp_path / "python"))
