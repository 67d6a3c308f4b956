"""Machines of one's own for tests: network namespaces with a name, a cable to this one, and what is reached through it.

A host has nothing but that cable: the servers that this machine has on loopback are reached at the cable's end, where a
small program passes the bytes on. Pulling the cable cuts the host off from everything.
"""

import itertools
import os
import selectors
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from infra.local import debian
from infra.local.paths import ROOT
from tests.servers import leave_out

POLL_SECONDS = 0.2

_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Host:
    """A machine: ``gateway`` is this machine's address, the same for all hosts, ``cable`` this end of the cable.

    A plan holds the address of the bucket that its state is in: another host has to reach it there as well.
    """

    name: str
    namespace: str
    cable: str
    gateway: str

    def start(self, *command: str, environment: Mapping[str, str], log: Path) -> "subprocess.Popen[bytes]":
        """Start a program on it, in a session of its own."""
        inside = f'hostname {self.name}; exec "$@"'
        argv = (
            _ip(),
            "netns",
            "exec",
            self.namespace,
            "unshare",
            "--uts",
            "sh",
            "-c",
            inside,
            "sh",
            *command,
        )
        with log.open("ab") as output:
            return subprocess.Popen(
                argv, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
            )

    def pull_the_cable(self) -> None:
        """Nothing reaches the host any more, and the host nothing."""
        _run("link", "set", self.cable, "down")

    def plug_it_in_again(self) -> None:
        """As it was."""
        _run("link", "set", self.cable, "up")


@contextmanager
def running_hosts(*names: str) -> Iterator[list[Host]]:
    """Machines of these names; leaves the test out, in words, where no network can be made."""
    _refuse_without_networks()
    gateway = f"{_network()}.0.1"
    _run("address", "add", f"{gateway}/32", "dev", "lo")
    try:
        with ExitStack() as stack:
            yield [stack.enter_context(_host(name, next(_numbers), gateway)) for name in names]
    finally:
        _run("address", "delete", f"{gateway}/32", "dev", "lo")


@contextmanager
def passing_on(address: str, ports: Sequence[int]) -> Iterator[dict[int, int]]:
    """Whoever connects to ``address`` reaches these ports of loopback; gives the ports to connect to, by those."""
    with ExitStack() as stack:
        yield {port: stack.enter_context(_passing_on(address, port)) for port in ports}


@contextmanager
def _host(name: str, number: int, gateway: str) -> Iterator[Host]:
    label = f"bg{os.getpid() % 100_000}x{number}"
    network = f"{_network()}.{number}"
    made = Host(name=name, namespace=label, cable=f"{label}a", gateway=gateway)
    _run("netns", "add", label)
    try:
        _run("link", "add", made.cable, "type", "veth", "peer", "name", f"{label}b", "netns", label)
        _run("address", "add", f"{network}.1/24", "dev", made.cable)
        _run("link", "set", made.cable, "up")
        _run("-n", label, "address", "add", f"{network}.2/24", "dev", f"{label}b")
        _run("-n", label, "link", "set", f"{label}b", "up")
        _run("-n", label, "link", "set", "lo", "up")
        _run("-n", label, "route", "add", gateway, "via", f"{network}.1")
        yield made
    finally:
        _run("netns", "delete", label)  # and the cable with it


def _network() -> str:
    return f"10.{200 + os.getpid() % 50}"


def _refuse_without_networks() -> None:
    if os.geteuid() != 0 or debian.find("ip") is None or shutil.which("unshare") is None:
        leave_out("Two hosts are network namespaces: that needs root on Linux, with iproute2 and util-linux.")
    label = f"bg{os.getpid() % 100_000}try"
    tried = subprocess.run([_ip(), "netns", "add", label], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        leave_out(f"No network namespace can be made here: {tried.stderr.strip()}")
    _run("netns", "delete", label)


def _ip() -> str:
    return str(debian.program("ip"))


def _run(*arguments: str) -> None:
    subprocess.run([_ip(), *arguments], check=True, capture_output=True)


@contextmanager
def _passing_on(address: str, port: int) -> Iterator[int]:
    connections = _Connections(port)
    with socket.create_server((address, 0)) as listener:
        accepting = threading.Thread(target=connections.accept, args=(listener,))
        accepting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            connections.end()


class _Connections:
    """To a port of loopback, each in a thread of its own. One whose cable was pulled ends only when it is told to."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._over = threading.Event()
        self._made: list[tuple[socket.socket, threading.Thread]] = []

    def accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=_join, args=(near, self._port, self._over))
            self._made.append((near, thread))
            thread.start()

    def end(self) -> None:
        self._over.set()
        for near, thread in self._made:
            with suppress(OSError):  # it has ended by itself
                near.shutdown(socket.SHUT_RDWR)
            thread.join()


def _join(near: socket.socket, port: int, over: threading.Event) -> None:
    with near, socket.create_connection(("127.0.0.1", port)) as far, selectors.DefaultSelector() as selector:
        selector.register(near, selectors.EVENT_READ, (near, far))
        selector.register(far, selectors.EVENT_READ, (far, near))
        while selector.get_map() and not over.is_set():
            for key, _ in selector.select(POLL_SECONDS):
                source, sink = key.data
                if not _pass_on(source, sink):
                    selector.unregister(source)


def _pass_on(source: socket.socket, sink: socket.socket) -> bool:
    try:
        data = source.recv(65_536)
        if data:
            sink.sendall(data)
        else:
            sink.shutdown(socket.SHUT_WR)
    except OSError:
        return False
    return bool(data)
