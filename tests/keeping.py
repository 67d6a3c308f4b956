"""A service at the sandbox with somebody who looks after it: settings are changed, and it is removed."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib.auth.models import User

from releases.domain.access.decisions import Permission
from releases.domain.approval.approval_policy import PlanIdentity
from releases.domain.lifecycle import StepStatus
from releases.models import Step
from releases.services.approval.approvals import approve
from releases.services.provisioning import removals, settings_runs
from releases.services.provisioning.settings_columns import recorded_settings
from tests.life import Life


@dataclass
class KeptLife(Life):
    """The life of a service that Kim manages."""

    kim: User = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.kim = self._person("kim", Permission.VIEW, Permission.MANAGE)

    def ends(self, ask: Callable[[], Step]) -> Step:
        """Plan what Kim asks for, have Mona approve the plan that she is shown, and apply it."""
        step = ask()
        self.work()
        step.refresh_from_db()
        assert step.status == StepStatus.WAITING, step.problem or step.status
        approve(step_id=step.pk, user=self.mona, shown=self.shown(step))
        self.work()
        step.refresh_from_db()
        self.service.refresh_from_db()
        return step

    def shown(self, step: Step) -> PlanIdentity:
        """The plan that an approver sees on the step's page."""
        run = step.plan_run
        assert run is not None
        return PlanIdentity(sha256=run.plan_sha256, changes_digest=run.changes_digest)

    def change_settings(self, *, header_value: str = "", **changes: Any) -> Step:
        """Ask for other settings."""
        return settings_runs.request_settings(
            service_id=self.service.pk,
            user=self.kim,
            wanted=replace(recorded_settings(self.service), **changes),
            reason="Another host",
            header_value=header_value,
        )

    def remove(self) -> Step:
        """Ask for the removal, knowing that requests may still come."""
        return removals.request_removal(
            service_id=self.service.pk,
            user=self.kim,
            typed_name=self.service.name,
            reason="Nobody needs it",
            gives_up_requests=True,
        )
