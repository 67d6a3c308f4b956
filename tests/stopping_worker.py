"""A worker that stops at a point until it is told to go on: ``python -m tests.stopping_worker POINT FOLDER``.

The first of its processes that reaches the point writes its number to ``FOLDER/at``, and waits for ``FOLDER/go``.
"""

import os
import sys
import time
from pathlib import Path

from celery.bin.celery import main as celery

from bluegreen import worker
from terraform_runner import points
from terraform_runner.points import Point


def main(name: str, folder: str) -> None:
    """Listen, and become the worker."""
    wanted, at, go = Point(name), Path(folder, "at"), Path(folder, "go")

    def stop(point: Point) -> None:
        if point is not wanted or at.exists():
            return
        draft = at.with_suffix(".new")
        draft.write_text(f"{os.getpid()}\n")
        draft.rename(at)
        while not go.exists():
            time.sleep(0.02)

    points.listen(stop)
    command = worker.command(urgent=False)
    sys.argv = command[command.index("celery") :]
    celery()


if __name__ == "__main__":
    main(*sys.argv[1:])
