"""Everything in a bucket, with the real Terraform: a service's set-up, and what a state there goes through."""

import json
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any, ClassVar, cast
from uuid import UUID, uuid4

import pytest

from audit.events import Actor
from aws.session import s3
from conftest import TerraformCli
from infra.sandbox.info import SandboxInfo
from releases.models import Service, Step
from releases.services.execution import runs, storage
from releases.services.execution.workspaces import runner_settings
from releases.services.provisioning import setup
from terraform_runner import executor
from terraform_runner.claims import worker_name
from terraform_runner.domain.results import Planned
from terraform_runner.domain.runs import RunStatus
from terraform_runner.domain.state_identity import StateIdentity
from terraform_runner.errors import PlanStale, StateLocked, TerraformFailed
from terraform_runner.executor import RunnerSettings, Workspace
from terraform_runner.models import Run
from terraform_runner.objects import Objects
from terraform_runner.selectors import last_state
from terraform_runner.state import STATE_FILE, S3State
from terraform_runner.tests.support import RecordingControl
from tests.life import new_service

TESTS = Actor(id="", name="tests", via="command")


@pytest.fixture
def in_a_bucket(sandbox: SandboxInfo, terraform_cli: TerraformCli, settings, tmp_path) -> str:
    """An installation that keeps everything in a bucket with versions; its name."""
    settings.AWS_ENDPOINT_URL = sandbox.endpoint_url
    settings.AWS_ACCESS_KEY_ID = sandbox.access_key_id
    settings.AWS_SECRET_ACCESS_KEY = sandbox.secret_access_key
    settings.STORAGE_BUCKET = f"bucket-{uuid4()}"
    settings.STORAGE_ACCOUNT_ID = sandbox.account_id
    settings.STORAGE_REGION = sandbox.region
    settings.STORAGE_PREFIX = "team"
    settings.DATA_DIR = tmp_path / "data"
    settings.TERRAFORM_BIN = str(terraform_cli.binary)
    settings.TERRAFORM_MIRROR = terraform_cli.mirror
    client: Any = s3(storage.bucket().access)
    client.create_bucket(
        Bucket=settings.STORAGE_BUCKET, CreateBucketConfiguration={"LocationConstraint": sandbox.region}
    )
    client.put_bucket_versioning(
        Bucket=settings.STORAGE_BUCKET, VersioningConfiguration={"Status": "Enabled"}
    )
    return settings.STORAGE_BUCKET


def created(sandbox: SandboxInfo, name: str, priority: int) -> Service:
    """Recorded, with its set-up queued."""
    new = new_service(
        sandbox,
        name,
        priority=priority,
        canary_addresses=["127.0.0.9/32"],
    )
    return setup.create_service(new, actor=TESTS)


def work() -> None:
    """Execute what is queued, as one worker does."""
    while queued := list(Run.objects.filter(status=RunStatus.QUEUED).order_by("queued_at")):
        for run in queued:
            runs.execute(run.pk, worker=worker_name())


def keys(bucket: str) -> set[str]:
    client = s3(storage.bucket().access)
    return {found["Key"] for found in client.list_objects_v2(Bucket=bucket).get("Contents", [])}


def clear_texts(plan: bytes) -> Iterator[bytes]:
    """Whatever is in a plan file, which is a ZIP archive."""
    with zipfile.ZipFile(BytesIO(plan)) as archive:
        yield from (archive.read(name) for name in archive.namelist())


@pytest.mark.terraform
@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_a_service_is_set_up_with_everything_in_the_bucket_and_nothing_on_the_machine(
    in_a_bucket, sandbox, settings, tmp_path
):
    service = created(sandbox, "in-a-bucket", 29_000)

    work()

    step = Step.objects.get()
    assert (step.status, step.problem) == ("done", "")
    plan_run = Run.objects.get(operation="plan")
    folder = f"team/state/{service.pk}"
    assert keys(in_a_bucket) == {
        f"{folder}/terraform.tfstate",
        f"{folder}/.terraform.lock.hcl",
        f"team/plans/{plan_run.plan_sha256}",
        f"team/plans/{plan_run.document_sha256}",
        *(f"team/logs/{run.pk}.log.gz" for run in Run.objects.all()),
    }
    state = json.loads(storage.objects(f"state/{service.pk}").get("terraform.tfstate") or b"")
    assert state["outputs"]["blue_function_name"]["value"] == "in-a-bucket-blue"
    assert last_state(str(service.pk)) == StateIdentity(lineage=state["lineage"], serial=state["serial"])
    storage.plan_store().copy_to(plan_run.plan_sha256, tmp_path / "plan")
    secret = sandbox.secret_access_key.encode()
    assert not any(secret in text for text in clear_texts((tmp_path / "plan").read_bytes()))
    on_the_machine = {path for path in settings.DATA_DIR.rglob("*") if path.is_file()}
    assert not any(secret in path.read_bytes() for path in on_the_machine)
    assert not any(
        path.name.startswith("terraform.tfstate") for path in on_the_machine if "prepared" not in path.parts
    )


LOCK = f"{STATE_FILE}.tflock"
SOMEBODY = {
    "ID": "7d0e",
    "Operation": "OperationTypeApply",
    "Who": "jane@laptop",
    "Created": "2026-11-24T21:04:16Z",
}
ROOT = {
    "terraform": {"required_version": ">= 1.10"},
    "variable": {"size": {}},
    "resource": {"terraform_data": {"one": {"input": "${var.size}"}}},
}


@dataclass
class Life:
    """A workspace without any provider, whose state is in the bucket, and its runs."""

    settings: RunnerSettings
    service_id: UUID = field(default_factory=uuid4)

    def plan(self, size: int, **state: Any) -> Planned:
        return executor.plan(
            run_id=uuid4(),
            control=RecordingControl(),
            settings=self.settings,
            workspace=self.workspace(size, **state),
        )

    def apply(self, planned: Planned) -> None:
        executor.apply(
            run_id=uuid4(),
            control=RecordingControl(),
            settings=self.settings,
            workspace=self.workspace(0),
            plan_sha256=planned.plan_sha256,
            document_sha256=planned.document_sha256,
            before_apply=lambda _: None,
            wants_outputs=False,
        )

    def workspace(self, size: int, **state: Any) -> Workspace:
        return Workspace(
            key="one",
            root=ROOT,
            variables={"size": size},
            modules={},
            environment={
                "AWS_ACCESS_KEY_ID": "OFTHESERVICE",
                "AWS_SECRET_ACCESS_KEY": "of-the-service",
                "AWS_REGION": "us-west-2",
            },
            state=replace(cast(S3State, storage.state(self.service_id, run_id=uuid4())), **state),
            secrets=(),
        )

    @property
    def kept(self) -> Objects:
        return storage.objects(f"state/{self.service_id}")


class Refusing(BaseHTTPRequestHandler):
    """An S3 that refuses everything and remembers whose request it was."""

    keys: ClassVar[set[str]] = set()

    def do_GET(self):
        self.keys.add(self.headers["Authorization"].partition("Credential=")[2].partition("/")[0])
        self.send_error(403)

    do_HEAD = do_PUT = do_GET

    def log_message(self, *_):
        """Keep the test's output clean."""


@pytest.mark.terraform
@pytest.mark.long
def test_a_state_that_somebody_else_has_locked_is_named_and_left_locked_and_then_it_goes_on(in_a_bucket):
    life = Life(settings=runner_settings())
    first = life.plan(1)
    life.apply(first)
    life.kept.put(LOCK, json.dumps(SOMEBODY).encode())

    with pytest.raises(StateLocked) as caught:
        life.plan(2)

    assert (caught.value.who, caught.value.operation) == ("jane@laptop", "OperationTypeApply")
    assert caught.value.since.startswith("2026-11-24 21:04:16")
    assert json.loads(life.kept.get(LOCK) or b"{}")["Who"] == "jane@laptop"

    life.kept.remove(LOCK)
    life.apply(life.plan(2))
    assert set(life.kept.names()) == {STATE_FILE}
    with pytest.raises(PlanStale):
        life.apply(first)


@pytest.mark.terraform
@pytest.mark.long
def test_the_state_is_reached_as_the_storage_s_account_and_not_as_the_service_s(in_a_bucket):
    life = Life(settings=runner_settings())
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        with pytest.raises(TerraformFailed, match="StatusCode: 403"):
            life.plan(1, access_key_id="OFTHESTORAGE", endpoint_url=address)
        server.shutdown()
        thread.join()

    assert Refusing.keys == {"OFTHESTORAGE"}
