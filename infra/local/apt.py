"""Debian's packages, where one is root: said in a line, and with what apt-get prints only where it fails."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable

SHOWN_LINES = 20


def is_usable() -> bool:
    """Whether packages can be installed here."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: Iterable[str]) -> None:
    """Install these, without what they only recommend. What fails is shown; whoever asked looks what is there now."""
    names = list(packages)
    print(f"Installing {', '.join(names)} by apt-get.", file=sys.stderr, flush=True)
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *names]):
        _run(["apt-get", *command])


def _run(command: list[str]) -> None:
    # In this run level no package starts its server.
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    done = subprocess.run(
        command, check=False, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        last = done.stdout.splitlines()[-SHOWN_LINES:]
        print("\n".join([f"{' '.join(command)} failed:", *last]), file=sys.stderr)
