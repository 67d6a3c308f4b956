"""Owns one Terraform: starts it, passes its output on, and ends it as soon as nobody says that it may go on.

It is a process between the worker and Terraform, because a worker can be killed, stopped, or cut off from the database
while its Terraform goes on. ``python -I -S launcher.py GRACE_SECONDS log|document PROGRAM ARGUMENT…``; it has to start
in no time, so that only what Python brings built in is imported. Its descriptors:

0. a socket. From the worker, lines: ``until SECONDS`` (of :func:`now`), before which nothing is started, and ``stop``;
   its end means that the worker is gone. To the worker an empty line for what was heard, so that one which is stopped
   is noticed; at the end how Terraform ended: ``ended CODE``, ``unfed CODE`` (since its time was over) or
   ``absent REASON``.
1. Terraform's standard output, if it is a ``document``; else the same as 2.
2. to the worker: what Terraform prints. A worker that does not read any more doesn't keep Terraform from ending well.

To end Terraform: SIGINT once to the group, which it takes as "finish what you are doing, write the state, free the
lock"; after the grace period SIGKILL. Nothing that it started survives it: on Linux whatever has left the group
becomes this process's child when its own parent ends.
"""

import ctypes
import os
import select
import signal
import sys
import time

POLL_SECONDS = 0.05
READ_BYTES = 65_536
# So much of its output waits for the worker; then Terraform has to wait too, unless it is to end.
MOST_PENDING = 1_048_576
# A worker that lives reads the last lines within this time.
FLUSH_SECONDS = 10.0
PR_SET_CHILD_SUBREAPER = 36
CHILDREN = f"/proc/self/task/{os.getpid()}/children"
WORKER, DOCUMENT, LOG = 0, 1, 2


def now() -> float:
    """Seconds that no change of the clock moves, the same for all processes of a machine; Linux counts sleep too."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Owner:
    """What the worker has said so far."""

    def __init__(self) -> None:
        self.until = float("-inf")
        self.is_gone = False
        self.asks_to_stop = False
        self._unread = b""

    def listen(self) -> None:
        """Take what is there. Call it when there is something, or the end."""
        try:
            data = os.read(WORKER, READ_BYTES)
        except ConnectionError:
            data = b""
        self.is_gone = not data
        _say("\n")
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            word, _, number = line.partition(b" ")
            if word == b"until":
                self.until = float(number)
            self.asks_to_stop |= word == b"stop"

    def wants_the_end(self) -> bool:
        """Whether Terraform has to end, or must not begin."""
        return self.is_gone or self.asks_to_stop or now() >= self.until

    def lets_begin(self) -> bool:
        """Wait for the first word; an old one, from before both were stopped, does not count."""
        while self.until == float("-inf") and not self.is_gone and not self.asks_to_stop:
            self.listen()
        return not self.wants_the_end()


class Output:
    """What Terraform prints, on its way to the worker."""

    def __init__(self) -> None:
        self.source, self.sink = os.pipe()
        self.has_ended = False
        self._pending = b""
        self._is_read = True
        os.set_blocking(self.source, False)
        os.set_blocking(LOG, False)

    def wanted(self, *, ending: bool) -> list[int]:
        """What to wait for, to read from."""
        full = len(self._pending) >= MOST_PENDING and not ending
        return [] if self.has_ended or full else [self.source]

    def pending(self) -> list[int]:
        """What to wait for, to write to."""
        return [LOG] if self._pending else []

    def take(self, *, is_rest: bool = False) -> bool:
        """Read what is there; what nobody reads is dropped, but for the rest. False if there is nothing, or the end.

        The rest, which Terraform has left in the pipe at its end, says what went wrong, and is bounded by the pipe.
        """
        try:
            data = os.read(self.source, READ_BYTES)
        except BlockingIOError:
            return False
        self.has_ended = not data
        if self._is_read and (is_rest or len(self._pending) < MOST_PENDING):
            self._pending += data
        return bool(data)

    def pass_on(self) -> None:
        """Write what the worker takes now."""
        try:
            self._pending = self._pending[os.write(LOG, self._pending[:READ_BYTES]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._is_read, self._pending = False, b""


class Launcher:
    """One Terraform, from its start to its end."""

    def __init__(self, argv: list[str], *, is_document: bool, grace_seconds: float, owner: Owner) -> None:
        self.unfed = False
        self._owner = owner
        self._grace_seconds = grace_seconds
        self._kill_at: float | None = None
        self._output = Output()
        self._reaps = _adopt_orphans()
        self._pid = _spawn(argv, self._output.sink, is_document=is_document)
        os.close(self._output.sink)

    def follow(self) -> int:
        """Stay with Terraform to its end, and that of all it started; gives its exit code, negative for a signal."""
        while (code := self._ended()) is None:
            self._wait()
            self._end_if_wanted()
        self._end_the_rest()
        while self._output.take(is_rest=True):
            pass
        patience = now() + FLUSH_SECONDS
        while self._output.pending() and not self._owner.is_gone and now() < patience:
            self._wait()
        return code

    def leave(self) -> None:
        """Exit; where orphans could not be adopted, with everything that is left in the group."""
        if not self._reaps:
            os.killpg(0, signal.SIGKILL)
        os._exit(0)

    def _ended(self) -> int | None:
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if pid else None

    def _wait(self) -> None:
        listening = [] if self._owner.is_gone else [WORKER]
        wanted = self._output.wanted(ending=self._kill_at is not None)
        # When Terraform has closed its output it is about to end.
        patience = POLL_SECONDS / 10 if self._output.has_ended else POLL_SECONDS
        readable, writable, _ = select.select([*listening, *wanted], self._output.pending(), [], patience)
        if WORKER in readable:
            self._owner.listen()
        if self._output.source in readable:
            self._output.take()
        if writable:
            self._output.pass_on()

    def _end_if_wanted(self) -> None:
        if self._kill_at is not None:
            if now() >= self._kill_at:
                os.kill(self._pid, signal.SIGKILL)
        elif self._owner.wants_the_end():
            self.unfed = not self._owner.asks_to_stop
            os.killpg(0, signal.SIGINT)
            self._kill_at = now() + self._grace_seconds

    def _end_the_rest(self) -> None:
        """Whoever loses its parent by this becomes a child in its turn, so that none is left in the end."""
        while self._reaps and (children := _children()):
            for child in children:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)


def main(arguments: list[str]) -> None:
    """Run what the command line names, and report how it ended."""
    grace_seconds, kind, *argv = arguments
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave_it_to_terraform)
    owner = Owner()
    if not owner.lets_begin():
        return _say("unfed -2")
    try:
        launcher = Launcher(
            argv, is_document=kind == "document", grace_seconds=float(grace_seconds), owner=owner
        )
    except OSError as error:
        return _say(f"absent {error}")
    code = launcher.follow()
    _say(f"{'unfed' if launcher.unfed else 'ended'} {code}")
    return launcher.leave()


def _spawn(argv: list[str], sink: int, *, is_document: bool) -> int:
    # Python itself adds LC_CTYPE to the environment where there is no locale.
    environment = {name: value for name, value in os.environb.items() if name != b"LC_CTYPE"}
    outputs = (LOG,) if is_document else (DOCUMENT, LOG)
    return os.posix_spawn(
        argv[0],
        argv,
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, WORKER, os.devnull, os.O_RDONLY, 0),
            *((os.POSIX_SPAWN_DUP2, sink, output) for output in outputs),
        ],
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],  # Python ignores them, and that would be inherited
    )


def _adopt_orphans() -> bool:
    """Become the parent of every descendant that loses its own; False where the system doesn't have that."""
    if not os.path.exists(CHILDREN):
        return False
    return bool(ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def _children() -> list[int]:
    with open(CHILDREN) as file:
        return [int(pid) for pid in file.read().split()]


def _leave_it_to_terraform(*_: object) -> None:
    """What is sent to the whole group is for Terraform. A handler, unlike "ignored", isn't inherited by it."""


def _say(words: str) -> None:
    try:
        os.write(WORKER, words.encode())
    except ConnectionError:
        return  # the worker is gone: nobody wants to know


if __name__ == "__main__":
    main(sys.argv[1:])
