"""The sandbox's five ports: asked for, else those of its last start, else free ones."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path

from infra.sandbox.errors import SandboxError

NAMES = ("api", "own", "everyone", "you", "ipv6")
_FILE_NAME = "ports.json"


def bind_ports(directory: Path, asked: Mapping[str, int]) -> dict[str, socket.socket]:
    """Return a listening socket of 127.0.0.1 for each of NAMES, and remember their ports in `directory`.

    `asked` holds port numbers by name, 0 for no wish. Raises SandboxError if a port that was asked for is taken.
    """
    file = directory / _FILE_NAME
    kept: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
    sockets = {name: _bind(asked.get(name, 0), kept.get(name, 0)) for name in NAMES}
    file.write_text(json.dumps({name: s.getsockname()[1] for name, s in sockets.items()}))
    return sockets


def _bind(asked: int, kept: int) -> socket.socket:
    if asked:
        return _listen(asked)
    try:
        return _listen(kept)
    except SandboxError:
        # Somebody has taken the port of our last start, which nothing depends on.
        return _listen(0)


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise SandboxError(
            f"port {port} of 127.0.0.1 can't be had ({error.strerror}): ask for another one"
        ) from error
    return listener
