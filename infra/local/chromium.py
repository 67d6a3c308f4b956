"""A Chromium for the browser tests: found, or installed where there is none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from infra.local import apt
from infra.local.errors import LocalError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Chromium only recommends fonts, and without any there is no text on a page.
DEBIAN_PACKAGES = ("chromium", "fonts-liberation")
# Nothing of a test may go out: no updates, no look-ups of its maker's hosts, no QUIC.
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_INSTALL = "Install Chromium, or set BLUEGREEN_CHROMIUM to its path."


def flags() -> list[str]:
    """What to start it with. Its sandbox can't be had as root."""
    return [*QUIET, "--no-sandbox"] if os.geteuid() == 0 else list(QUIET)


def find() -> Path | None:
    """BLUEGREEN_CHROMIUM, else one on PATH, else the one that Playwright downloaded.

    Raises LocalError when BLUEGREEN_CHROMIUM names nothing that can be run.
    """
    given = os.environ.get("BLUEGREEN_CHROMIUM")
    if given:
        if not os.access(given, os.X_OK):
            raise LocalError(f"BLUEGREEN_CHROMIUM is {given}, which can't be run. {_INSTALL}")
        return Path(given)
    on_path = next(filter(None, map(shutil.which, NAMES)), None)
    return Path(on_path) if on_path else _downloaded()


def ensure(python: Path) -> Path:
    """As ``find``, but installs one where there is none: Debian's package as root, else Playwright's download.

    ``python`` is one that has Playwright.
    Raises LocalError, in words, when that fails too.
    """
    return find() or _install(python) or _fail()


def _install(python: Path) -> Path | None:
    if apt.is_usable():
        apt.install(DEBIAN_PACKAGES)
    if find() is None:
        subprocess.run([python, "-m", "playwright", "install", "chromium"], check=False)
    return find()


def _downloaded() -> Path | None:
    """Where ``playwright install`` puts it: a folder for each build, of which the newest counts."""
    home = Path("~/Library/Caches" if sys.platform == "darwin" else "~/.cache").expanduser() / "ms-playwright"
    programs = ("chrome-linux*/chrome", "chrome-mac*/Chromium.app/Contents/MacOS/Chromium")
    found = [path for program in programs for path in home.glob(f"chromium-*/{program}")]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def _fail() -> Path:
    raise LocalError(f"The browser tests need Chromium, and it couldn't be installed here. {_INSTALL}")
