"""An installation on several hosts: PostgreSQL, Redis and the API of the sandbox (with S3) between them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import boto3

from infra.local.paths import ROOT
from infra.local.throwaway import ENCRYPTION_KEYS, SECRET_KEY
from infra.sandbox.info import SandboxInfo
from tests.hosts import Host, passing_on, running_hosts
from tests.servers import PostgresServer, RedisServer, running_postgres, running_redis

WORKER = ("-m", "bluegreen.worker")
URGENT_WORKER = (*WORKER, "--urgent")
SCHEDULER = ("-m", "celery", "--quiet", "-A", "bluegreen", "beat", "--loglevel=WARNING", "--pidfile=")


@dataclass(kw_only=True)
class Installation:
    """What its processes have in common; ``settings`` are those of the test."""

    folder: Path
    sandbox: SandboxInfo
    postgres: PostgresServer
    redis: RedisServer
    bucket: str
    settings: dict[str, str]
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self, host: Host, doors: dict[int, int], *program: str) -> "subprocess.Popen[bytes]":
        """Start a program of Bluegreen on a host, which reaches the servers by these ports of its gateway."""
        data = self.folder / host.name
        data.mkdir(exist_ok=True)
        schedule = (f"--schedule={data}/schedule",) if program == SCHEDULER else ()
        process = host.start(
            *(sys.executable, *program, *schedule),
            environment=self._environment(host.gateway, doors, data),
            log=self.folder / f"{host.name}.log",
        )
        self.started.append(process)
        return process

    def act(self, name: str, *arguments: str) -> Any:
        """What people do, or see: see ``tests.own_servers``."""
        command = (sys.executable, "-m", "tests.own_servers", name, *arguments)
        done = subprocess.run(command, cwd=ROOT, env=self.here(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else None

    def set_up(self, *names: str) -> None:
        """Ask for services."""
        wanted = ("region", "account_id", "listener_arn", "repository_uri")
        self.act("set-up", json.dumps({name: getattr(self.sandbox, name) for name in wanted}), *names)

    def here(self) -> dict[str, str]:
        """The environment of a program on this machine."""
        doors = {port: port for port in self.ports()}
        return self._environment("127.0.0.1", doors, self.folder / "here")

    def ports(self) -> tuple[int, ...]:
        """Where the servers listen."""
        return self.postgres.port, self.redis.port, urlsplit(self.sandbox.endpoint_url).port or 80

    def log(self, host: Host) -> str:
        """What a host's programs have said."""
        return (self.folder / f"{host.name}.log").read_text()

    def stop(self) -> None:
        """End all that was started, as an operating system does. Fails where something does not end."""
        for process in self.started:
            process.terminate()
        while self.started:
            self.started.pop().wait(90)

    def _environment(self, host: str, doors: dict[int, int], data: Path) -> dict[str, str]:
        postgres, redis, api = (doors[port] for port in self.ports())
        return {
            **{
                name: os.environ[name]
                for name in ("PATH", "HOME", "BLUEGREEN_TERRAFORM_BIN")
                if name in os.environ
            },
            "DATABASE_URL": self.postgres.url(host, postgres),
            "REDIS_URL": self.redis.url(host, redis),
            "BLUEGREEN_AWS_ENDPOINT_URL": f"http://{host}:{api}",
            "BLUEGREEN_AWS_ACCESS_KEY_ID": self.sandbox.access_key_id,
            "BLUEGREEN_AWS_SECRET_ACCESS_KEY": self.sandbox.secret_access_key,
            "BLUEGREEN_STORAGE_BUCKET": self.bucket,
            "BLUEGREEN_STORAGE_ACCOUNT_ID": self.sandbox.account_id,
            "BLUEGREEN_STORAGE_REGION": self.sandbox.region,
            "BLUEGREEN_SECRET_KEY": SECRET_KEY,
            "BLUEGREEN_ENCRYPTION_KEYS": ENCRYPTION_KEYS,
            "BLUEGREEN_DATA_DIR": str(data),
            **self.settings,
        }


@contextmanager
def running_installation(
    folder: Path, sandbox: SandboxInfo, settings: dict[str, str]
) -> Iterator[Installation]:
    """The servers, with an empty database that is migrated and an empty bucket; whatever was started is ended."""
    folder.mkdir()
    with running_postgres(folder / "postgres") as postgres, running_redis(folder / "redis") as redis:
        made = Installation(
            folder=folder,
            sandbox=sandbox,
            postgres=postgres,
            redis=redis,
            bucket=make_bucket(sandbox),
            settings=settings,
        )
        migrate = (sys.executable, "manage.py", "migrate", "--no-input", "--verbosity=0")
        subprocess.run(migrate, cwd=ROOT, env=made.here(), check=True)
        try:
            yield made
        finally:
            made.stop()


@contextmanager
def connected_hosts(installation: Installation, *names: str) -> Iterator[list[tuple[Host, dict[int, int]]]]:
    """Hosts, each with the ports at which it reaches the installation's servers."""
    with running_hosts(*names) as hosts, ExitStack() as stack:
        doors = stack.enter_context(passing_on(hosts[0].gateway, installation.ports()))
        yield [(host, doors) for host in hosts]


def overlaps(runs: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Pairs of runs of one service that went on at the same time."""
    begun = sorted((run for run in runs if run["began"]), key=lambda run: (run["service"], run["began"]))
    return [
        (one, other)
        for one, other in pairwise(begun)
        if one["service"] == other["service"] and other["began"] < one["ended"]
    ]


def make_bucket(sandbox: SandboxInfo) -> str:
    """An empty bucket that keeps versions; gives its name."""
    name = f"hosts-{uuid4()}"
    client: Any = boto3.client(
        "s3",
        region_name=sandbox.region,
        endpoint_url=sandbox.endpoint_url,
        aws_access_key_id=sandbox.access_key_id,
        aws_secret_access_key=sandbox.secret_access_key,
    )
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": sandbox.region})
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name
