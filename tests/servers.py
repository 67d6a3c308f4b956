"""Debian's PostgreSQL and Redis, as an installation of one's own has them: by TCP, with passwords."""

import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import redis

from infra.local import debian, postgres, servers
from infra.local.errors import LocalError
from infra.local.tests.ports import free_port

NAME = "bluegreen"


@dataclass(frozen=True, kw_only=True)
class PostgresServer:
    """A server on a free port of loopback."""

    folder: Path
    port: int
    password: str
    prefix: tuple[str, ...]
    name = "Debian's PostgreSQL"
    stop_signal = signal.SIGINT

    def url(self, host: str = "127.0.0.1", port: int | None = None) -> str:
        """DATABASE_URL, as somebody sees it who reaches it there."""
        return f"postgres://{NAME}:{self.password}@{host}:{port or self.port}/postgres"

    @property
    def command(self) -> list[str]:
        sockets = ("-c", "unix_socket_directories=")
        address = ("-c", "listen_addresses=127.0.0.1", "-c", f"port={self.port}")
        program = str(debian.program("postgres"))
        return [*self.prefix, program, "-D", str(self.folder), *sockets, *address, *postgres.NOT_DURABLE]

    def is_ready(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@dataclass(frozen=True, kw_only=True)
class RedisServer:
    """A server on a free port of loopback."""

    port: int
    password: str
    name = "Debian's Redis"
    stop_signal = signal.SIGTERM

    def url(self, host: str = "127.0.0.1", port: int | None = None) -> str:
        """REDIS_URL, as somebody sees it who reaches it there."""
        return f"redis://:{self.password}@{host}:{port or self.port}/0"

    @property
    def command(self) -> list[str]:
        address = ("--bind", "127.0.0.1", "--port", str(self.port), "--requirepass", self.password)
        return [str(debian.program("redis-server")), *address, "--save", "", "--appendonly", "no"]

    def is_ready(self) -> bool:
        try:
            return bool(redis.Redis.from_url(self.url(), socket_timeout=2).ping())
        except redis.RedisError:
            return False


def leave_out(reason: str) -> None:
    """Skip this test on a machine that cannot run it: ``make test`` says so and why, and ``.ci/run`` fails."""
    pytest.skip(reason)


@contextmanager
def running_postgres(folder: Path) -> Iterator[PostgresServer]:
    """A server with an empty database, for as long as the context lasts."""
    password = secrets.token_hex(8)
    folder.mkdir(mode=0o700)
    secret = folder / "password"
    secret.write_text(password)
    prefix = postgres.find_prefix(folder)
    made = PostgresServer(folder=folder / "data", port=free_port(), password=password, prefix=prefix)
    authentication = ("--auth=scram-sha-256", f"--pwfile={secret}", f"--username={NAME}")
    command = [
        *prefix,
        str(_program("initdb")),
        *authentication,
        "--no-sync",
        "--encoding=UTF8",
        str(made.folder),
    ]
    subprocess.run(command, check=True, capture_output=True)
    with servers.running(made, folder / "server.log"):
        yield made


@contextmanager
def running_redis(folder: Path) -> Iterator[RedisServer]:
    """An empty server, for as long as the context lasts."""
    folder.mkdir(mode=0o700)
    _program("redis-server")
    made = RedisServer(port=free_port(), password=secrets.token_hex(8))
    with servers.running(made, folder / "server.log"):
        yield made


def _program(name: str) -> Path:
    try:
        return debian.program(name)
    except LocalError as error:
        leave_out(str(error))
        raise
