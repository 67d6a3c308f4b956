"""The processes of one machine as tests start and kill them: on the test's database, its broker, and the sandbox."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import psutil
from django.conf import settings
from django.db import connection

from infra.local.paths import ROOT
from releases.worker_life import START_AGAIN
from tests.installation import SCHEDULER, URGENT_WORKER, WORKER

LEASE_SECONDS, GRACE_SECONDS = 8, 8


@dataclass(kw_only=True)
class Machine:
    """What its processes have in common, and those that run."""

    folder: Path
    environment: dict[str, str]
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self, *program: str) -> "subprocess.Popen[bytes]":
        """Start a program of Bluegreen; its output goes to ``log`` in the folder."""
        schedule = (f"--schedule={self.folder}/schedule",) if program == SCHEDULER else ()
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                (sys.executable, *program, *schedule), cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        self.started.append(process)
        return process

    def log(self) -> str:
        """All that its programs have said."""
        return (self.folder / "log").read_text()

    def start_again(self) -> None:
        """What has ended and asks for it, as a supervisor does."""
        for process in self.started[:]:
            if process.poll() == START_AGAIN:
                self.started.remove(process)
                self.start(*program_of(process))

    def kill(self, process: "subprocess.Popen[bytes]") -> None:
        """End a program and all that it has started, at once."""
        below = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        for one in below:
            one.kill()
        process.kill()
        process.wait()
        self.started.remove(process)


@contextmanager
def running_machine(
    folder: Path, broker_url: str, *, programs: Sequence[tuple[str, ...]] = (URGENT_WORKER, SCHEDULER)
) -> Iterator[Machine]:
    """A machine on which these programs run; ``settings`` are those of the test."""
    folder.mkdir()
    machine = Machine(folder=folder, environment=environment_of_test(broker_url))
    try:
        for program in programs:
            machine.start(*program)
        yield machine
    finally:
        for process in reversed(machine.started[:]):
            machine.kill(process)
        print(machine.log()[-20_000:])  # noqa: T201 - pytest shows it where the test has failed


def environment_of_test(broker_url: str) -> dict[str, str]:
    """That of a program which works on the test's database, with the test's ``settings``."""
    address, _ = os.environ["DATABASE_URL"].rsplit("/", 1)
    return os.environ | {
        "DATABASE_URL": f"{address}/{connection.settings_dict['NAME']}",
        "REDIS_URL": broker_url,
        "BLUEGREEN_DATA_DIR": str(settings.DATA_DIR),
        "BLUEGREEN_AWS_ENDPOINT_URL": settings.AWS_ENDPOINT_URL or "",
        "BLUEGREEN_AWS_ACCESS_KEY_ID": settings.AWS_ACCESS_KEY_ID or "",
        "BLUEGREEN_AWS_SECRET_ACCESS_KEY": settings.AWS_SECRET_ACCESS_KEY or "",
        "BLUEGREEN_TERRAFORM_BIN": settings.TERRAFORM_BIN or "",
        "BLUEGREEN_TERRAFORM_MIRROR": str(settings.TERRAFORM_MIRROR or ""),
        "BLUEGREEN_STORAGE_BUCKET": settings.STORAGE_BUCKET,
        "BLUEGREEN_STORAGE_ACCOUNT_ID": settings.STORAGE_ACCOUNT_ID,
        "BLUEGREEN_STORAGE_REGION": settings.STORAGE_REGION,
        "BLUEGREEN_LEASE_SECONDS": str(LEASE_SECONDS),
        "BLUEGREEN_TERRAFORM_GRACE_SECONDS": str(GRACE_SECONDS),
        "BLUEGREEN_WORKER_GRACE_SECONDS": "1",
        "BLUEGREEN_WORKERS": "1",
    }


def program_of(process: "subprocess.Popen[bytes]") -> tuple[str, ...]:
    """What was started, without the Python that runs it."""
    return cast("tuple[str, ...]", process.args)[1:]


def begin_worker(machine: Machine) -> "subprocess.Popen[bytes]":
    """A worker as a supervisor would start it."""
    return machine.start(*WORKER)
