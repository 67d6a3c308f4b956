"""Set-up: a virtual environment, the style sheet, Terraform. Needs Python 3.11 and nothing else; quick when repeated.

``python3 -m infra.local.install [--checks] [--browser] [--servers]`` is run by ``make`` with the system's Python,
before anything is installed: only the standard library may be imported here.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from infra.local import chromium, debian, frontend, terraform
from infra.local.errors import LocalError
from infra.local.paths import ROOT, data_dir

VENV = ROOT / ".venv"
PYTHON = VENV / "bin/python"
RUN_PINS = ("requirements.txt",)
CHECK_PINS = ("requirements.txt", "requirements-dev.txt")


def main(arguments: Sequence[str] | None = None) -> int:
    """Sets up what the command line asks for. Returns 1, with words on stderr, when something can't be had."""
    parser = argparse.ArgumentParser(prog="python3 -m infra.local.install", description=__doc__)
    parser.add_argument("--checks", action="store_true", help="also what tests and lint need")
    parser.add_argument("--browser", action="store_true", help="also a Chromium for the browser tests")
    parser.add_argument("--servers", action="store_true", help="also Debian's PostgreSQL and Redis for tests")
    asked = parser.parse_args(arguments)
    try:
        _install(checks=asked.checks, browser=asked.browser, servers=asked.servers)
    except (LocalError, subprocess.CalledProcessError) as error:
        print(f"Set-up failed: {error}", file=sys.stderr)
        return 1
    return 0


def _install(*, checks: bool, browser: bool, servers: bool) -> None:
    make_venv(VENV)
    install_pins(VENV, [ROOT / name for name in (CHECK_PINS if checks else RUN_PINS)])
    frontend.install(ROOT, PYTHON)
    data_dir().mkdir(mode=0o700, parents=True, exist_ok=True)
    terraform.ensure_binary(
        data_dir(), releases=os.environ.get("BLUEGREEN_TERRAFORM_RELEASES") or terraform.RELEASES
    )
    if browser:
        chromium.ensure(PYTHON)
    if servers and (words := debian.ensure()):
        _say(words)


def make_venv(venv: Path) -> None:
    """Makes a virtual environment of this Python in ``venv``, unless a working one is there."""
    if _works(venv / "bin/python"):
        return
    if find_spec("ensurepip") is None:  # Debian has it in a package of its own
        _install_venv_package()
    shutil.rmtree(venv, ignore_errors=True)
    _say(f"Making a virtual environment in {venv}")
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)


def install_pins(venv: Path, pins: Sequence[Path]) -> None:
    """Installs exactly what ``pins`` list, by hash, unless that (or more) was the last to be installed."""
    stamp = venv / "installed-pins"
    wanted = {hashlib.sha256(path.read_bytes()).hexdigest() for path in pins}
    if stamp.exists() and wanted <= set(stamp.read_text().split()):
        return
    _say(f"Installing {' and '.join(path.name for path in pins)}")
    files = [argument for path in pins for argument in ("--requirement", str(path))]
    pip = [str(venv / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # --no-deps: the lists are whole, and pip's resolver looks at a newer release of what is asked for with an extra,
    # finds no hash for it and gives up, on the day on which somebody publishes one.
    subprocess.run([*pip, "--require-hashes", "--no-deps", *files], check=True)
    stamp.write_text("\n".join(sorted(wanted)))


def _works(python: Path) -> bool:
    try:
        return (
            subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode
            == 0
        )
    except OSError:
        return False


def _install_venv_package() -> None:
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    apt = shutil.which("apt-get")
    if os.geteuid() != 0 or apt is None:
        raise LocalError(f"This Python can't make virtual environments. On Debian: apt install {package}")
    subprocess.run([apt, "update", "--quiet"], check=True)
    subprocess.run([apt, "install", "--quiet", "--yes", package], check=True)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
