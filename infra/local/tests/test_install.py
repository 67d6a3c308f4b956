import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local import frontend, install
from infra.local.errors import LocalError
from infra.local.paths import ROOT

pytestmark = pytest.mark.process


def fake_program(path: Path, log: Path, does: str = "") -> Path:
    """A program that notes its arguments in ``log``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\necho "$*" >> "{log}"\n{does}\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What was run, a line each."""
    (tmp_path / "log").touch()
    return tmp_path / "log"


class TestPins:
    @pytest.fixture
    def venv(self, tmp_path: Path, log) -> Path:
        fake_program(tmp_path / "venv/bin/python", log)
        return tmp_path / "venv"

    @pytest.fixture
    def pins(self, tmp_path) -> list[Path]:
        for name in ("run.txt", "dev.txt"):
            (tmp_path / name).write_text(f"{name} as it is")
        return [tmp_path / "run.txt", tmp_path / "dev.txt"]

    def test_are_installed_by_hash_and_only_once(self, venv, pins, log):
        install.install_pins(venv, pins)
        install.install_pins(venv, pins)

        (command,) = log.read_text().splitlines()
        assert "--require-hashes" in command
        assert "--no-deps" in command
        assert all(f"--requirement {path}" in command for path in pins)

    def test_are_installed_again_when_they_have_changed(self, venv, pins, log):
        install.install_pins(venv, pins)
        pins[0].write_text("newer")

        install.install_pins(venv, pins)

        assert len(log.read_text().splitlines()) == 2

    def test_that_run_needs_are_there_when_those_for_checks_are(self, venv, pins, log):
        install.install_pins(venv, pins)
        install.install_pins(venv, pins[:1])

        assert len(log.read_text().splitlines()) == 1

    def test_for_checks_are_added_to_those_for_run(self, venv, pins, log):
        install.install_pins(venv, pins[:1])
        install.install_pins(venv, pins)

        assert len(log.read_text().splitlines()) == 2

    def test_that_went_back_to_older_ones_are_installed_again(self, venv, pins, log):
        install.install_pins(venv, pins[:1])
        pins[0].write_text("newer")
        install.install_pins(venv, pins)
        pins[0].write_text("run.txt as it is")

        install.install_pins(venv, pins[:1])

        assert len(log.read_text().splitlines()) == 3

    def test_whose_installation_fails_are_not_taken_for_installed(self, venv, pins, log):
        fake_program(venv / "bin/python", log, "exit 1")
        for _ in range(2):
            with pytest.raises(subprocess.CalledProcessError):
                install.install_pins(venv, pins)

        assert len(log.read_text().splitlines()) == 2


class TestVirtualEnvironment:
    def test_is_made_and_works(self, tmp_path):
        install.make_venv(tmp_path / "venv")

        version = [tmp_path / "venv/bin/python", "-m", "pip", "--version"]
        assert subprocess.run(version, capture_output=True).returncode == 0

    def test_that_works_is_left_alone(self, tmp_path, log):
        python = fake_program(tmp_path / "venv/bin/python", log)
        before = python.read_text()

        install.make_venv(tmp_path / "venv")

        assert python.read_text() == before

    def test_whose_python_is_gone_is_made_anew(self, tmp_path):
        (tmp_path / "venv/bin").mkdir(parents=True)
        (tmp_path / "venv/bin/python").symlink_to("/no/such/python")

        install.make_venv(tmp_path / "venv")

        assert (tmp_path / "venv/bin/pip").exists()

    def test_that_ordinary_user_cannot_make_names_the_package(self, tmp_path, monkeypatch):
        monkeypatch.setattr(install, "find_spec", lambda name: None)
        monkeypatch.setattr(os, "geteuid", lambda: 1000)

        with pytest.raises(LocalError, match=r"apt install python3\.\d+-venv"):
            install.make_venv(tmp_path / "venv")


class TestStyleSheet:
    @pytest.fixture
    def checkout(self, tmp_path: Path, log, monkeypatch) -> Path:
        """A checkout with an npm that fetches the files that are used, and one that isn't."""
        (tmp_path / "package-lock.json").write_text("{}")
        files = [f"{frontend.PACKAGES}/{name}" for name in (*frontend.USED, "idiomorph/dist/unused.js")]
        fetch = "\n".join(f'mkdir -p "$(dirname {file})" && echo content > {file}' for file in files)
        fake_program(tmp_path / "bin/npm", log, f'[ "$1" = ci ] || exit 0\n{fetch}')
        monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
        return tmp_path

    def calls(self, log: Path) -> list[str]:
        return [line for line in log.read_text().splitlines() if line.startswith("ci")]

    def test_is_fetched_once_and_only_what_is_used_is_copied(self, checkout, log):
        for _ in range(2):
            frontend.install(checkout, checkout / "no-python")

        vendor = checkout / "vendor"
        copied = {str(path.relative_to(vendor)) for path in vendor.rglob("*") if path.is_file()}
        assert copied == {*frontend.USED.values(), "package-lock.json"}
        assert len(self.calls(log)) == 1

    def test_is_fetched_again_when_its_pin_has_changed(self, checkout, log):
        frontend.install(checkout, checkout / "no-python")
        (checkout / "package-lock.json").write_text('{"version": 2}')

        frontend.install(checkout, checkout / "no-python")

        assert len(self.calls(log)) == 2

    def test_is_fetched_by_node_from_a_wheel_where_npm_does_not_work(self, checkout, log):
        npm = checkout / "bin/npm"
        node = fake_program(checkout / "wheel/bin/node", log, npm.read_text().split("exit 0\n")[1])
        fake_program(npm, checkout / "not-looked-at", "exit 1")
        python = fake_program(
            checkout / "python", log, f'[ "$1" = -c ] && echo "{node.parent.parent}" || true'
        )

        frontend.install(checkout, python)

        assert (checkout / "vendor/tabler/css/tabler.min.css").exists()
        assert any("npm-cli.js ci" in line for line in log.read_text().splitlines())


def test_lock_file_names_no_address_to_download_from():
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()


def test_set_up_runs_on_a_python_with_nothing_installed(tmp_path):
    command = [sys.executable, "-I", "-S", "-c"]
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import infra.local.install"

    done = subprocess.run([*command, code], capture_output=True, text=True, cwd=tmp_path)

    assert done.stderr == ""
