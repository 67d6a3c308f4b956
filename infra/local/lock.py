"""Only one Bluegreen runs on a data directory."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.errors import LocalError

# So long after a start was killed its guardian may still be ending what that had started.
WAIT_SECONDS = 5


@contextmanager
def only_one(data_dir: Path, about: str) -> Iterator[int]:
    """Holds ``data_dir`` and gives the lock's file descriptor; ``about`` is told to whom it is refused.

    The lock belongs to the open file: it is free when every process that has it open has ended, however they
    end. Raises LocalError when another one holds it.
    """
    with (data_dir / "run.lock").open("a+") as file:
        if not _lock(file.fileno()):
            file.seek(0)
            raise LocalError(f"Bluegreen already runs on {data_dir}: {file.read().strip()}.")
        file.truncate(0)
        file.write(about)
        file.flush()
        yield file.fileno()


def _lock(descriptor: int) -> bool:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        else:
            return True
