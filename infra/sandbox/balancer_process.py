"""The load balancer's process, as the API's process sees it."""

import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, cast

from infra.sandbox.routing import Route, dump_routes


class BalancerProcess:
    """A running load balancer."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._routes = cast("IO[bytes]", process.stdin)
        self._taken = cast("IO[bytes]", process.stdout)

    def follow(self, routes: Sequence[Route]) -> None:
        """Return when every request from now on is answered by these routes."""
        self._routes.write(dump_routes(routes).encode() + b"\n")
        self._routes.flush()
        self._taken.readline()

    def has_ended(self) -> bool:
        """Say whether it has ended, by itself or killed."""
        return self._process.poll() is not None


@contextmanager
def running_balancer(sockets: Sequence[socket.socket]) -> Iterator[BalancerProcess]:
    """Run a load balancer on four listening sockets: own address, everyone, you, you by IPv6."""
    descriptors = [listener.fileno() for listener in sockets]
    command = [sys.executable, "-m", "infra.sandbox.load_balancer", *map(str, descriptors)]
    with subprocess.Popen(  # noqa: S603 - this very program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=descriptors
    ) as process:
        try:
            yield BalancerProcess(process)
        finally:
            process.terminate()
