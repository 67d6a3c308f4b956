"""A broker of a test's own, which is killed, frozen and started again on the same socket."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis
from celery import current_app

from infra.local import valkey
from infra.local.tests.waiting import wait_for
from infra.local.valkey import Broker


@dataclass
class Fragile:
    """The broker, and its process."""

    broker: Broker
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self) -> None:
        self.processes.append(subprocess.Popen(self.broker.command, stdout=subprocess.DEVNULL))
        wait_for(self.broker.is_ready, "the broker")

    def kill(self) -> None:
        process = self.processes.pop()
        process.kill()
        process.wait()

    def client(self) -> "redis.Redis":
        return redis.Redis(unix_socket_path=str(self.broker.socket))

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self.processes[-1].send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.processes[-1].send_signal(signal.SIGCONT)


@contextmanager
def fragile_broker(folder: Path) -> Iterator[Fragile]:
    """Celery of this process talks to it for as long as the context lasts."""
    made = Fragile(broker=valkey.prepare(folder))
    made.start()
    with talking_to(made.broker.url):
        yield made
    for process in made.processes:
        process.kill()
        process.wait()


@contextmanager
def talking_to(url: str) -> Iterator[None]:
    """Celery of this process has its broker there, whether or not anybody listens."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("broker_url", "broker_read_url", "broker_write_url"):
            patch.setattr(current_app.conf, name, url)
        current_app._after_fork()  # type: ignore[attr-defined]  # connections to the one that was there before
        yield
        current_app._after_fork()  # type: ignore[attr-defined]
