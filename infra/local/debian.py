"""Debian's PostgreSQL and Redis, for the tests of what runs with servers of one's own; and what makes networks.

Found, or installed where one is root. They are never started here: tests start servers of their own, on free ports.
"""

import os
import shutil
from pathlib import Path

from infra.local import apt
from infra.local.errors import LocalError

POSTGRES_FOLDERS = Path("/usr/lib/postgresql")
PACKAGES = {
    "redis-server": "redis-server",
    "initdb": "postgresql",
    "postgres": "postgresql",
    "ip": "iproute2",
}
_INSTALL = "As root on Debian: apt-get install postgresql redis-server iproute2."


def find(name: str) -> Path | None:
    """A program of ``PACKAGES``; PostgreSQL's are not on PATH, and the newest version counts."""
    found = sorted(POSTGRES_FOLDERS.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1]
    on_path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    return Path(on_path) if on_path else None


def program(name: str) -> Path:
    """As ``find``. Raises LocalError, in words, where there is none."""
    path = find(name)
    if path is None:
        raise LocalError(f"There is no {name} here, and it couldn't be installed. {_INSTALL}")
    return path


def ensure() -> str:
    """Install what is missing, where one is root on Debian. Gives what to do about what is missing still, or ""."""
    if _missing() and apt.is_usable():
        apt.install(sorted({PACKAGES[name] for name in _missing()}))
    missing = _missing()
    return (
        f"Not found: {', '.join(missing)}. Tests that need them are left out. {_INSTALL}" if missing else ""
    )


def _missing() -> list[str]:
    return [name for name in PACKAGES if find(name) is None]
