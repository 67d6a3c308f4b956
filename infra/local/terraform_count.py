"""Counts the Terraform commands of a test session: each costs seconds, so their number is bounded.

A small script takes Terraform's place on PATH, notes the command's name, and becomes Terraform by ``exec``:
process id, process group, signals and exit code are those of the real one.
"""

import shlex
from collections import Counter
from pathlib import Path

COUNTED = ("init", "plan", "show", "apply", "validate", "test")
SCRIPT = """#!/bin/sh
for word in "$@"; do
  case $word in -*) ;; *) echo "$word" >> {log}; break ;; esac
done
exec {binary} "$@"
"""


def install_counter(folder: Path, binary: Path) -> Path:
    """Makes ``folder/terraform``, which notes its calls in ``folder/commands`` and runs ``binary``."""
    folder.mkdir(parents=True)
    script = folder / "terraform"
    script.write_text(
        SCRIPT.format(log=shlex.quote(str(_log(folder))), binary=shlex.quote(str(binary.resolve())))
    )
    script.chmod(0o755)
    return script


def count_commands(folder: Path) -> Counter[str]:
    """How often each counted command was run, by name."""
    log = _log(folder)
    names = log.read_text().split() if log.exists() else []
    return Counter(name for name in names if name in COUNTED)


def _log(folder: Path) -> Path:
    return folder / "commands"
