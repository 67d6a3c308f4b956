"""The parts of Bluegreen on one machine: the command and the whole environment of each."""

import os
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.local import postgres, terraform, valkey
from infra.local.secrets import LocalSecrets
from infra.local.supervisor import Part
from infra.sandbox.info import FILE_NAME, SandboxInfo, read_info

# What a program needs of the environment that Bluegreen was started in; nothing else of it is passed on.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
# Settings that are left as they were given (docs/settings.md). The other ones are worked out here.
PASSED_ON = (
    "BLUEGREEN_DEBUG",
    "BLUEGREEN_ALLOWED_HOSTS",
    "BLUEGREEN_HTTPS",
    "BLUEGREEN_DEMO_SERVICE",
    "BLUEGREEN_AWS_ACCOUNTS",
    "BLUEGREEN_BUTTON_BY_WORKER",
    "BLUEGREEN_REMOVAL_QUIET_HOURS",
    "BLUEGREEN_TERRAFORM_TIME_LIMIT_SECONDS",
    "BLUEGREEN_TERRAFORM_GRACE_SECONDS",
    "BLUEGREEN_TERRAFORM_LOCK_TIMEOUT_SECONDS",
    "BLUEGREEN_LEASE_SECONDS",
    "BLUEGREEN_KEEP_PLANS_DAYS",
    "BLUEGREEN_WORKER_GRACE_SECONDS",
    "BLUEGREEN_WORKERS",
    "BLUEGREEN_SIGN_IN_TRIES",
    "BLUEGREEN_SIGN_IN_TRIES_BY_NAME",
    "BLUEGREEN_SIGN_IN_TRIES_BY_ADDRESS",
    "BLUEGREEN_SIGN_IN_PAUSE_MINUTES",
    "BLUEGREEN_API_REQUESTS_PER_MINUTE",
    "BLUEGREEN_CHECK_AUDIT_ROLE",
    "BLUEGREEN_AUDIT_RETENTION_DAYS",
    "BLUEGREEN_AUDIT_SIGNING_KEY",
    "BLUEGREEN_AUDIT_PUBLIC_KEYS",
    "EMAIL_URL",
    "BLUEGREEN_MAIL_FROM",
    "BLUEGREEN_PUBLIC_URL",
    "BLUEGREEN_REMIND_AFTER_HOURS",
    "BLUEGREEN_STORAGE_BUCKET",
    "BLUEGREEN_STORAGE_ACCOUNT_ID",
    "BLUEGREEN_STORAGE_REGION",
    "BLUEGREEN_STORAGE_PREFIX",
    "BLUEGREEN_STORAGE_KMS_KEY",
)
# Celery warns root at each start. Only JSON is accepted here, so a message can't make it run code.
QUIET_AS_ROOT = ("-W", "ignore:You're running the worker with superuser privileges")
# A worker lets its run go on for a while, then has Terraform end gently; the rest is for itself.
WORKER_GRACE, TERRAFORM_GRACE, REST_SECONDS = 30, 30, 15
# A worker that hears nothing of its queue any more ends with this code (releases.worker_life.START_AGAIN).
WORKER_START_AGAIN = 75


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What differs between machines and starts."""

    data_dir: Path
    port: int
    secrets: LocalSecrets

    @property
    def sandbox_dir(self) -> Path:
        """Where the sandbox keeps what it holds."""
        return self.data_dir / "sandbox"

    @property
    def address(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.port}"

    def sandbox(self) -> SandboxInfo:
        """What the running sandbox says of itself."""
        return read_info(self.sandbox_dir / FILE_NAME)

    def answers(self) -> bool:
        """Whether the web process is up."""
        try:
            with urllib.request.urlopen(f"{self.address}/healthz", timeout=5) as answer:  # noqa: S310 - loopback
                return bool(answer.status == 200)
        except OSError:
            return False


def servers(machine: Machine) -> tuple[list[Part], dict[str, str]]:
    """The servers that the others need, and the addresses of database and broker.

    A database or broker of one's own (DATABASE_URL, REDIS_URL) takes the embedded one's place.
    """
    plain = inherited()
    addresses = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name)}
    parts = [_sandbox(machine, plain)]
    if "REDIS_URL" not in addresses:
        broker = valkey.prepare(machine.data_dir / "valkey")
        addresses["REDIS_URL"] = broker.url
        parts.insert(
            0, Part(name="valkey", command=broker.command, environment=plain, is_ready=broker.is_ready)
        )
    if "DATABASE_URL" not in addresses:
        cluster = postgres.prepare(machine.data_dir / "postgres")
        addresses["DATABASE_URL"] = cluster.url
        parts.insert(0, _postgres(cluster, plain))
    return parts, addresses


def environment(machine: Machine, addresses: Mapping[str, str]) -> dict[str, str]:
    """The environment of every process of Bluegreen itself, once the servers are ready."""
    sandbox = machine.sandbox()
    return {
        **inherited(),
        # Where nothing is said about mails, the sandbox's page of messages shows them.
        "EMAIL_URL": f"filemail:///{machine.sandbox_dir / 'mail'}",
        "BLUEGREEN_PUBLIC_URL": machine.address,
        **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
        **addresses,
        "PYTHONUNBUFFERED": "1",
        "BLUEGREEN_SECRET_KEY": machine.secrets.secret_key,
        "BLUEGREEN_ENCRYPTION_KEYS": machine.secrets.encryption_keys,
        "BLUEGREEN_DATA_DIR": str(machine.data_dir),
        "BLUEGREEN_TERRAFORM_BIN": str(terraform.find_binary(machine.data_dir) or ""),
        "BLUEGREEN_TERRAFORM_MIRROR": str(terraform.find_mirror() or ""),
        "BLUEGREEN_WEBHOOK_LOOPBACK": "True",
        "BLUEGREEN_SANDBOX_FILE": str(machine.sandbox_dir / FILE_NAME),
        "BLUEGREEN_AWS_ENDPOINT_URL": sandbox.endpoint_url,
        "BLUEGREEN_AWS_ACCESS_KEY_ID": sandbox.access_key_id,
        "BLUEGREEN_AWS_SECRET_ACCESS_KEY": sandbox.secret_access_key,
    }


def preparations(machine: Machine, variables: Mapping[str, str]) -> list[Part]:
    """What is run to its end, in this order, before Bluegreen itself is started."""
    with_password = {**variables, "BLUEGREEN_DEMO_PASSWORD": machine.secrets.demo_password}
    return [
        *_bucket(variables),
        _manage("collectstatic", variables, "--no-input", "--verbosity=0"),
        _manage("migrate", variables, "--no-input", "--verbosity=0"),
        _manage("recover", variables),
        _manage("demo", with_password),
    ]


def bluegreen(machine: Machine, variables: Mapping[str, str]) -> list[Part]:
    """The web process, the two workers and the scheduler."""
    celery = [sys.executable, *QUIET_AS_ROOT, "-m", "celery", "--quiet", "-A", "bluegreen"]
    schedule = machine.data_dir / "celerybeat-schedule"
    return [
        Part(
            name="web",
            command=[
                *(sys.executable, "-m", "uvicorn", "bluegreen.asgi:application"),
                *("--host=127.0.0.1", f"--port={machine.port}", "--no-access-log", "--log-level=warning"),
                "--no-proxy-headers",  # there is no proxy here: whoever sends X-Forwarded-For has made it up
                "--timeout-graceful-shutdown=3",  # open pages hold a stream that doesn't end by itself
            ],
            environment=variables,
            is_ready=machine.answers,
        ),
        _worker("worker", variables),
        _worker("urgent-worker", variables, "--urgent"),
        Part(
            name="scheduler",
            command=[*celery, "beat", "--loglevel=WARNING", f"--schedule={schedule}", "--pidfile="],
            environment=variables,
        ),
    ]


def _worker(name: str, variables: Mapping[str, str], *options: str) -> Part:
    return Part(
        name=name,
        command=[sys.executable, "-m", "bluegreen.worker", *options],
        environment=variables,
        grace_seconds=worker_grace_seconds(variables),
        start_again_code=WORKER_START_AGAIN,
    )


def worker_grace_seconds(variables: Mapping[str, str]) -> float:
    """How long a worker that is told to stop may take, with the two settings of which that is made."""
    run = float(variables.get("BLUEGREEN_WORKER_GRACE_SECONDS", WORKER_GRACE))
    terraform_ends = float(variables.get("BLUEGREEN_TERRAFORM_GRACE_SECONDS", TERRAFORM_GRACE))
    return run + terraform_ends + REST_SECONDS


def inherited() -> dict[str, str]:
    """The part of this process's environment that every program gets."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


def _postgres(cluster: postgres.Cluster, variables: Mapping[str, str]) -> Part:
    return Part(
        name="postgres",
        command=cluster.command,
        environment=variables,
        is_ready=cluster.is_ready,
        stop_signal=cluster.stop_signal,
        grace_seconds=30,
    )


def _sandbox(machine: Machine, variables: Mapping[str, str]) -> Part:
    file = machine.sandbox_dir / FILE_NAME
    file.unlink(missing_ok=True)  # one that was killed has left it
    return Part(
        name="sandbox",
        command=[sys.executable, "-m", "infra.sandbox", "--data-dir", str(machine.sandbox_dir)],
        environment={**variables, "PYTHONUNBUFFERED": "1"},
        is_ready=file.exists,
    )


def _bucket(variables: Mapping[str, str]) -> list[Part]:
    """The sandbox begins without any bucket: the one that the settings name is made there."""
    name = variables.get("BLUEGREEN_STORAGE_BUCKET")
    command = [sys.executable, "-m", "infra.sandbox.bucket", str(name)]
    return [Part(name="bucket", command=command, environment=variables)] if name else []


def _manage(command: str, variables: Mapping[str, str], *options: str) -> Part:
    return Part(name=command, command=[sys.executable, "manage.py", command, *options], environment=variables)
