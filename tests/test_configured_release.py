"""A release that changes the configuration only, with the real Terraform: the colour with the users is never touched.

The variables are as hostile as they get: what would be code in a ``.tf`` file has to arrive at Lambda as it was typed.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import User

from audit.events import Actor
from audit.models import AuditEvent
from conftest import TerraformCli
from infra.sandbox.info import SandboxInfo
from infra.sandbox.tests.service import ALIAS, client
from releases import selectors
from releases.domain.approval_policy import PlanIdentity
from releases.domain.decisions import Permission
from releases.models import Release, Service, Step
from releases.permissions import grant
from releases.services import approvals, emergency, recovery, requests, runs, setup, storage
from releases.services.configurations import WantedConfiguration
from releases.services.requests import ReleaseRequest
from releases.services.setup import NewService
from terraform_runner.claims import worker_name
from terraform_runner.domain.runs import RunStatus
from terraform_runner.models import LogChunk, Run

pytestmark = [pytest.mark.terraform, pytest.mark.django_db(transaction=True)]

SECRET = 'correct horse ${file("/etc/passwd")} "battery"'
BEFORE = {
    "LEVEL": "info",
    "TEMPLATE": '${file("/etc/passwd")}%{ if true }x%{ endif }$${x}',
    "QUOTES": '"\\"\n}\nresource "null_resource" "x" {}\n',
    "WORDS": "é 🙂 \u202eevil =cmd|' /C calc'!A0",
}
SETTINGS: dict[str, Any] = {
    "memory_size": 256,
    "image_config": {
        "command": ["${path.root}", '--x="$(id)"'],
        "working_directory": "/${terraform.workspace}",
    },
}


@dataclass
class Life:
    """One service at the sandbox, and three people."""

    sandbox: SandboxInfo
    service: Service
    rita: User = field(init=False)
    mona: User = field(init=False)
    otto: User = field(init=False)

    def __post_init__(self) -> None:
        self.rita = self._person("rita", Permission.VIEW, Permission.REQUEST)
        self.mona = self._person("mona", Permission.VIEW, Permission.APPROVE)
        self.otto = self._person("otto", Permission.VIEW, Permission.OPERATE, Permission.EMERGENCY)

    def _person(self, name: str, *permissions: Permission) -> User:
        user = User.objects.create_user(name)
        grant(user, self.service, *permissions)
        return user

    def work(self) -> None:
        """Do what a worker and the scheduler do, until nothing is queued any more."""
        while queued := list(Run.objects.filter(status=RunStatus.QUEUED).order_by("queued_at")):
            for run in queued:
                runs.execute(run.pk, worker=worker_name())
            recovery.sweep()

    def step(self) -> Step:
        return selectors.unfinished_steps(self.service)[0]

    def release(self, level: str) -> Release:
        """The same image, and the same configuration but for one variable."""
        wanted = WantedConfiguration(
            settings={**SETTINGS, "environment": {**BEFORE, "LEVEL": level}}, kept=frozenset({"PASSWORD"})
        )
        return requests.request_release(
            service_id=self.service.pk,
            user=self.rita,
            wanted=ReleaseRequest(
                tag="blue", weights=[25], canary=False, configuration=wanted, reason='${file("/etc/passwd")}'
            ),
        )

    def go_on(self) -> None:
        """Start the step, and approve its plan where it has a gate."""
        self.work()
        approvals.start(step_id=self.step().pk, user=self.otto)
        step = self.step()
        if step.gate:
            assert step.plan_run is not None
            shown = PlanIdentity(
                sha256=step.plan_run.plan_sha256, changes_digest=step.plan_run.changes_digest
            )
            approvals.approve(step_id=step.pk, user=self.mona, shown=shown)
        self.work_only_applies()

    def work_only_applies(self) -> None:
        """As ``work``, but the next step's plan is left for later: a plan costs two commands."""
        for run in Run.objects.filter(status=RunStatus.QUEUED, operation="apply"):
            runs.execute(run.pk, worker=worker_name())

    def at_aws(self, color: str) -> dict[str, Any]:
        """A colour's function, all its versions and its alias, as Lambda tells them."""
        functions, name = client(self.sandbox, "lambda"), f"{self.service.name}-{color}"
        versions = functions.list_versions_by_function(FunctionName=name)["Versions"]
        alias = functions.get_alias(FunctionName=name, Name=ALIAS)
        function = functions.get_function(FunctionName=name)
        for answer in (alias, function):
            del answer["ResponseMetadata"]
        return {"function": function, "versions": versions, "alias": alias}

    def environment(self, color: str) -> dict[str, str]:
        """What the version that a colour serves was really given."""
        found = client(self.sandbox, "lambda").get_function(
            FunctionName=f"{self.service.name}-{color}", Qualifier=ALIAS
        )
        variables: dict[str, str] = found["Configuration"]["Environment"]["Variables"]
        return variables


def set_up(sandbox: SandboxInfo, name: str, priority: int) -> Life:
    new = NewService(
        name=name,
        family=name,
        environment="production",
        region=sandbox.region,
        account_id=sandbox.account_id,
        listener_arn=sandbox.listener_arn,
        repository_uri=sandbox.repository_uri,
        tag="blue",
        hostnames=[f"{name}.example.com"],
        priority=priority,
        settle_seconds=0,
        bake_seconds=0,
        configuration=WantedConfiguration(
            settings={**SETTINGS, "environment": BEFORE}, secrets={"PASSWORD": SECRET}
        ),
    )
    life = Life(sandbox, setup.create_service(new, actor=Actor(id="", name="tests", via="command")))
    life.work()
    assert [step.problem for step in Step.objects.all()] == [""]
    return life


@pytest.fixture(autouse=True)
def at_the_sandbox(sandbox: SandboxInfo, terraform_cli: TerraformCli, settings, tmp_path) -> None:
    settings.AWS_ENDPOINT_URL = sandbox.endpoint_url
    settings.AWS_ACCESS_KEY_ID = sandbox.access_key_id
    settings.AWS_SECRET_ACCESS_KEY = sandbox.secret_access_key
    settings.DATA_DIR = tmp_path / "data"
    settings.TERRAFORM_BIN = str(terraform_cli.binary)
    settings.TERRAFORM_MIRROR = terraform_cli.mirror


def everything_stored() -> str:
    """All that the database and the kept plans' JSON have, which people may see."""
    kept = [
        storage.plan_store().read_json(run.document_sha256) for run in Run.objects.exclude(document_sha256="")
    ]
    rows = [
        *LogChunk.objects.values_list("lines", flat=True),
        *Run.objects.values_list("changes", "error_message", "outputs"),
        *AuditEvent.objects.values_list("before", "after", "reason", "subject"),
        *Step.objects.values_list("state_before", "state_after", "problem"),
        *Release.objects.values_list("configuration", "from_configuration"),
    ]
    return json.dumps([kept, rows], ensure_ascii=False)


def assert_nothing_tells_the_secret() -> None:
    stored = everything_stored()
    assert "correct horse" not in stored
    assert "LEVEL" in stored


def test_a_changed_variable_is_put_in_place_as_it_was_typed_and_the_users_colour_is_not_touched(sandbox):
    life = set_up(sandbox, "configured", 28_000)
    before = life.at_aws("blue")
    assert life.environment("blue") == {**BEFORE, "PASSWORD": SECRET}

    life.release("debug")
    life.go_on()

    assert life.environment("green") == {**BEFORE, "LEVEL": "debug", "PASSWORD": SECRET}
    green = life.at_aws("green")["function"]["Configuration"]
    assert green["ImageConfigResponse"]["ImageConfig"]["Command"] == SETTINGS["image_config"]["command"]
    assert (green["MemorySize"], life.at_aws("green")["alias"]["FunctionVersion"]) == (256, "2")
    assert life.at_aws("blue") == before
    assert_nothing_tells_the_secret()


@pytest.mark.long
def test_a_changed_variable_is_rolled_back_at_25_and_the_users_colour_is_never_touched(sandbox):
    life = set_up(sandbox, "taken-back", 28_010)
    before = life.at_aws("blue")
    release = life.release("debug")
    life.go_on()
    life.go_on()
    life.service.refresh_from_db()
    assert life.service.state.candidate_share == 25
    assert life.at_aws("blue") == before

    emergency.roll_back(service_id=life.service.pk, user=life.otto)
    life.work()

    life.service.refresh_from_db()
    release.refresh_from_db()
    assert (life.service.state.candidate_share, release.status) == (0, "rolled_back")
    assert not selectors.unfinished_steps(life.service)
    assert life.at_aws("blue") == before
    assert life.environment("green")["LEVEL"] == "debug"
    assert life.service.green_configuration == release.configuration
    assert_nothing_tells_the_secret()
