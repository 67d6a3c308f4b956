"""The demo's service and people on the benchmark's machine, as seen by a process beside the web and the worker."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from django.conf import settings
from django.contrib.auth.models import User

from aws.credentials import Credentials
from bench.by_hand import ByHand
from bench.errors import CannotMeasure
from infra.sandbox.info import SandboxInfo, read_info
from releases import selectors
from releases.domain.lifecycle import StepStatus
from releases.models import Service
from releases.services.execution import workspaces
from terraform_runner.state import LocalState

POLL_SECONDS = 0.02
# Nothing that is waited for takes so long, on the slowest machine.
PATIENCE_SECONDS = 300
NAME_BY_HAND = "by-hand"
PRIORITY_BY_HAND = 300


@dataclass(frozen=True, kw_only=True)
class Demo:
    """``address`` is the pages'."""

    address: str
    service: Service
    sandbox: SandboxInfo

    def person(self, name: str) -> User:
        """One of the demo's people."""
        return User.objects.get(username=name)

    def wait_for_terraform(self) -> None:
        """Until Terraform agrees after a press of the button, or has given up."""

        def is_over() -> bool:
            return selectors.rollback_going_on(Service.objects.get(pk=self.service.pk)) is None

        wait_for(is_over, "Terraform to agree")

    def by_hand(
        self, name: str = NAME_BY_HAND, *, priority: int = PRIORITY_BY_HAND, hostnames: Sequence[str] = ()
    ) -> ByHand:
        """A second service in the same sandbox, alike but for its names and its rules' priorities and hosts."""
        service = self.service
        twin = Service(
            name=name,
            family=name,
            priority=priority,
            hostnames=list(hostnames),
            region=service.region,
            account_id=service.account_id,
            listener_arn=service.listener_arn,
            repository_uri=service.repository_uri,
            canary_addresses=service.canary_addresses,
            blue_image=service.blue_image,
            green_image=service.green_image,
        )
        return ByHand(
            folder=settings.DATA_DIR / name,
            workspace=workspaces.workspace(
                twin,
                twin.state,
                credentials=_credentials(self.sandbox),
                kept_in=LocalState(folder=settings.DATA_DIR / name),
            ),
            binary=settings.TERRAFORM_BIN or "terraform",
            mirror=settings.TERRAFORM_MIRROR,
        )


def _credentials(sandbox: SandboxInfo) -> Credentials:
    return Credentials(access_key_id=sandbox.access_key_id, secret_access_key=sandbox.secret_access_key)


def wait_until_ready(address: str) -> Demo:
    """The demo, once its service is set up. Raises CannotMeasure if that fails."""
    wait_for(_is_set_up, "the demo's service to be set up")
    sandbox = read_info(Path(cast(str, settings.SANDBOX_FILE)))
    return Demo(address=address, service=Service.objects.get(), sandbox=sandbox)


def wait_for(happened: Callable[[], bool], what: str) -> None:
    """Return as soon as it has happened. Raises CannotMeasure if it takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        if time.monotonic() > deadline:
            raise CannotMeasure(f"Waited {PATIENCE_SECONDS} s in vain for {what}.")
        time.sleep(POLL_SECONDS)


def _is_set_up() -> bool:
    service = Service.objects.get()
    step = selectors.current_step(service)
    if step and step.status == StepStatus.FAILED:
        raise CannotMeasure(f"The demo's service can't be set up: {step.problem}")
    return service.set_up_at is not None
