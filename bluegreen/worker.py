"""Starts a worker: ``python -m bluegreen.worker [--urgent]``.

As many runs at once as the machine has memory for, or BLUEGREEN_WORKERS. With ``--urgent`` it serves what must not wait
behind runs: what follows the emergency button, the scheduler's sweeps, and messages. Each machine wants one of both.
"""

import argparse
import os
import sys

from releases.dispatch import RUNS, URGENT
from terraform_runner import capacity

# A run, and sweeps beside it, which cost little; and messages, which may have to wait for others' servers.
URGENT_AT_ONCE = 3
# Celery warns root at each start. Only JSON is accepted here, so a message can't make it run code.
QUIET_AS_ROOT = ("-W", "ignore:You're running the worker with superuser privileges")


def command(*, urgent: bool) -> list[str]:
    """Celery's command line; the process's number makes its name the only one on this machine."""
    queue = URGENT if urgent else RUNS
    at_once = URGENT_AT_ONCE if urgent else wanted_at_once()
    return [
        *(sys.executable, *QUIET_AS_ROOT, "-m", "celery", "--quiet", "-A", "bluegreen", "worker"),
        *(f"--queues={queue}", f"--hostname={queue}-{os.getpid()}@%h"),
        *("--pool=prefork", f"--concurrency={at_once}", "--loglevel=WARNING"),
        # Both are for workers that know each other: here they only delay the start.
        *("--without-gossip", "--without-mingle"),
    ]


def wanted_at_once() -> int:
    """BLUEGREEN_WORKERS, or what fits this machine. Exits in words where it is no number."""
    given = os.environ.get("BLUEGREEN_WORKERS") or str(capacity.runs_at_once())
    if not given.isascii() or not given.isdecimal() or not 1 <= int(given) <= 1000:
        sys.exit(f"BLUEGREEN_WORKERS is {given!r}: use a number from 1 to 1000.")
    return int(given)


def main() -> None:
    """Become Celery's worker."""
    parser = argparse.ArgumentParser(prog="python -m bluegreen.worker", description=__doc__)
    parser.add_argument("--urgent", action="store_true", help="serve what must not wait behind runs")
    argv = command(urgent=parser.parse_args().urgent)
    os.execv(argv[0], argv)  # noqa: S606 - a list of arguments, made here


if __name__ == "__main__":
    main()
