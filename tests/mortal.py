"""What tests kill and start again: servers of their own, and programs of a machine."""

import contextlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil
import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, connections

from infra.local import postgres, valkey
from infra.local.servers import Server
from infra.local.tests.waiting import wait_for
from tests.machine import Machine


class Mortal(Protocol):
    """Something that is killed at once, with all that it has started, and started again when it is told to."""

    def kill(self) -> None:
        """It is gone."""

    def start(self) -> None:
        """It is there again, and what it kept too."""


@dataclass
class MortalServer:
    """An embedded server; what it says goes to ``log``."""

    server: Server
    log: Path
    process: "subprocess.Popen[bytes] | None" = None

    def kill(self) -> None:
        assert self.process is not None
        below = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()
        for one in below:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(below)

    def start(self) -> None:
        """Until it answers; one that refuses to start, since something is left of the one before, is tried again."""

        def answers() -> bool:
            if self.process is None or self.process.poll() is not None:
                with self.log.open("ab") as log:
                    self.process = subprocess.Popen(self.server.command, stdout=log, stderr=log)
            return self.server.is_ready()

        wait_for(answers, self.server.name)


@dataclass
class MortalProgram:
    """A program of a machine, which runs."""

    machine: Machine
    command: tuple[str, ...]

    def __post_init__(self) -> None:
        self.start()

    def kill(self) -> None:
        self.machine.kill(self._process)

    def start(self) -> None:
        self._process = self.machine.start(*self.command)


@contextmanager
def mortal_broker(folder: Path) -> Iterator[tuple[MortalServer, str]]:
    """A broker, and its address."""
    folder.mkdir(mode=0o700)
    broker = valkey.prepare(folder)
    with _running(broker, folder) as server:
        yield server, broker.url


@contextmanager
def mortal_database(folder: Path) -> Iterator[MortalServer]:
    """A database, empty and migrated: in the place of the session's, in this process and those that it starts."""
    cluster = postgres.prepare(folder)  # durable: what was committed outlives it
    its = {"HOST": str(cluster.socket_dir), "NAME": postgres.NAME, "USER": postgres.NAME, "PORT": ""}
    with _running(cluster, folder) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", cluster.url)
        for name, value in its.items():
            patch.setitem(connection.settings_dict, name, value)
        forget_connections()
        try:
            call_command("migrate", verbosity=0)
            yield server
        finally:
            forget_connections()


def forget_connections() -> None:
    """None to a database that is gone, and nothing that was learned from another one."""
    connections.close_all()
    connection.close_pool()  # type: ignore[attr-defined]  # only PostgreSQL's has one
    ContentType.objects.clear_cache()


@contextmanager
def _running(server: Server, folder: Path) -> Iterator[MortalServer]:
    made = MortalServer(server, folder / "server.log")
    made.start()
    try:
        yield made
    finally:
        made.kill()
