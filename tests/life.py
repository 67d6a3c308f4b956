"""A service's life with the real Terraform at the sandbox, driven through the services as pages do."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User

from conftest import TerraformCli
from infra.sandbox.info import SandboxInfo
from releases import selectors
from releases.domain.access.decisions import Permission
from releases.domain.approval.approval_policy import PlanIdentity
from releases.models import Service, Step
from releases.permissions import grant
from releases.services.approval import approvals
from releases.services.execution import recovery, runs
from releases.services.provisioning.setup import NewService
from terraform_runner.claims import worker_name
from terraform_runner.domain.runs import RunStatus
from terraform_runner.models import Run


def new_service(sandbox: SandboxInfo, name: str, *, priority: int, **given: Any) -> NewService:
    """A service behind the sandbox's load balancer, by a host of its own; ``given`` are other fields."""
    usual = {"hostnames": [f"{name}.example.com"]}
    return NewService(
        name=name,
        family=name,
        environment="production",
        region=sandbox.region,
        account_id=sandbox.account_id,
        listener_arn=sandbox.listener_arn,
        repository_uri=sandbox.repository_uri,
        tag="blue",
        priority=priority,
        **(usual | given),
    )


def use_sandbox(sandbox: SandboxInfo, terraform_cli: TerraformCli, settings: Any, data_dir: Path) -> None:
    """Have Bluegreen work with this AWS and this Terraform, with nothing left from other tests."""
    settings.AWS_ENDPOINT_URL = sandbox.endpoint_url
    settings.AWS_ACCESS_KEY_ID = sandbox.access_key_id
    settings.AWS_SECRET_ACCESS_KEY = sandbox.secret_access_key
    settings.DATA_DIR = data_dir
    settings.TERRAFORM_BIN = str(terraform_cli.binary)
    settings.TERRAFORM_MIRROR = terraform_cli.mirror


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
