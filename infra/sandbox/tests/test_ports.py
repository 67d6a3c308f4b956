"""Which ports the sandbox listens on."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.sandbox.errors import SandboxError
from infra.sandbox.ports import NAMES, bind_ports


@contextmanager
def bound(directory: Path, asked: Mapping[str, int]) -> Iterator[dict[str, socket.socket]]:
    sockets = bind_ports(directory, asked)
    try:
        yield sockets
    finally:
        for listener in sockets.values():
            listener.close()


@contextmanager
def somebody_else() -> Iterator[int]:
    """Listen on a port and give its number."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_free_ports_of_loopback_are_taken(tmp_path):
    with bound(tmp_path, {}) as sockets:
        addresses = [sockets[name].getsockname() for name in NAMES]
    assert {host for host, _ in addresses} == {"127.0.0.1"}
    assert len({port for _, port in addresses}) == len(NAMES)


def test_ports_of_the_last_start_are_taken_again(tmp_path):
    with bound(tmp_path, {}) as sockets:
        first = {name: s.getsockname()[1] for name, s in sockets.items()}
    with bound(tmp_path, {}) as sockets:
        assert {name: s.getsockname()[1] for name, s in sockets.items()} == first


def test_port_of_the_last_start_that_somebody_took_is_replaced(tmp_path):
    with bound(tmp_path, {}) as sockets:
        taken = sockets["api"].getsockname()[1]
        # The sockets of a sandbox that still runs are somebody else's as well.
        with bound(tmp_path, {}) as others:
            assert others["api"].getsockname()[1] != taken


def test_port_that_is_asked_for_and_taken_is_an_error(tmp_path):
    with somebody_else() as port, pytest.raises(SandboxError, match=rf"port {port} .* can't be had"):
        bind_ports(tmp_path, {"you": port})


def test_asked_port_goes_before_that_of_the_last_start(tmp_path):
    with bound(tmp_path, {}):
        pass
    with somebody_else() as port:
        pass
    with bound(tmp_path, {"own": port}) as sockets:
        assert sockets["own"].getsockname()[1] == port
