"""Ports of loopback for servers that a test starts a while after it has chosen them."""

import contextlib
import secrets
import socket

# Below those that a system gives whoever asks for any (from 32768 on): nobody is given one of these meanwhile.
CHOICE = range(20_000, 32_000)


def free_port() -> int:
    """A port that nobody listens at."""
    while True:
        port = secrets.choice(CHOICE)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
