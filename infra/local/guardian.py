"""A small process that ends what its owner started, should the owner die without doing so (kill -9).

The owner writes ``+PID`` and ``-PID`` lines to the guardian's standard input. The operating system closes
that pipe however the owner ends, on Linux as on macOS, and then the guardian kills the processes that are
still noted, with their descendants. Killing is safe for all of them: what they keep is written so that it
survives a crash.
"""

import contextlib
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil


class Guardian:
    """The owner's side: a context manager; ``watch`` what was started, ``forget`` what was stopped.

    ``keep_open`` are file descriptors that the guardian holds until it has ended: with a lock file's among
    them, the lock isn't free before everything of the last owner is gone.
    """

    def __init__(self, keep_open: Sequence[int] = ()) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", Path(__file__)],  # -P: this folder's modules stay apart from the library's
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=keep_open,
            start_new_session=True,
        )

    def watch(self, pid: int) -> None:
        """From now on ``pid`` is killed, with its descendants, should the owner die."""
        self._tell(f"+{pid}")

    def forget(self, pid: int) -> None:
        """``pid`` has ended: its number may be another process's soon."""
        self._tell(f"-{pid}")

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was asked for as a pipe
        with contextlib.suppress(
            BrokenPipeError
        ):  # without its guardian the owner still stops everything itself
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was asked for as a pipe
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()


def kill_family(processes: Iterable[psutil.Process]) -> None:
    """Kills the processes and all their descendants, and waits until they are gone."""
    family = [member for process in processes for member in _with_descendants(process)]
    for member in family:
        with contextlib.suppress(
            psutil.NoSuchProcess
        ):  # psutil also notices a number that was given out again
            member.kill()
    psutil.wait_procs(family, timeout=10)


def _with_descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return [process]


def _watch_owner(lines: Iterable[str]) -> None:
    watched: dict[int, psutil.Process] = {}
    for line in lines:
        pid = int(line[1:])
        if line.startswith("-"):
            watched.pop(pid, None)
            continue
        with contextlib.suppress(psutil.NoSuchProcess):
            watched[pid] = psutil.Process(pid)
    kill_family(watched.values())


if __name__ == "__main__":
    _watch_owner(sys.stdin)
