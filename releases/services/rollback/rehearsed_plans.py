"""Terraform's part of a rehearsal: the plan that would follow the emergency button now, guarded, and never applied.

It is a run like any other, of no step: what came of it stands in the run itself. A press ends it like any run.
"""

from collections.abc import Callable
from uuid import UUID

from audit import events
from aws.accounts import Purpose
from releases import push
from releases.domain.plans import guard
from releases.domain.plans.guard import Expectation
from releases.domain.traffic import Transition
from releases.models import Rehearsal, Service, Step
from releases.services.errors import StepFailed
from releases.services.execution import expectations, outcomes
from releases.services.execution.patience import patient
from releases.services.execution.realities import read_reality
from releases.services.execution.workspaces import runner_settings
from releases.services.lifecycle import SYSTEM, locked
from terraform_runner import claims, executor
from terraform_runner.domain.redaction import Redactor
from terraform_runner.domain.results import Planned
from terraform_runner.errors import RunnerError
from terraform_runner.executor import Workspace
from terraform_runner.hold import Hold
from terraform_runner.models import Run

WorkspaceOf = Callable[[Run, Service, Expectation, Purpose], Workspace]


def find(run: Run) -> Rehearsal | None:
    """The rehearsal that a run belongs to."""
    return Rehearsal.objects.filter(plan_run=run).select_related("service").first()


def make(run: Run, service: Service, hold: Hold, *, workspace_of: WorkspaceOf) -> None:
    """Plan a rollback from what is real now, and keep whether that worked. Raises what a plan run raises."""
    share = 0 if service.safe_color == service.active_color else 100
    step = Step(service=service, transition=Transition.ROLLBACK.value, candidate_share=share)
    expectation = expectations.of_step(service, step, read_reality(service))
    workspace = workspace_of(run, service, expectation, Purpose.READ)
    planned = executor.plan(run_id=run.pk, workspace=workspace, settings=runner_settings(), control=hold)
    refusals = guard.check_plan(planned.plan, expectation)
    said = Redactor(workspace.secrets).mask("\n".join(map(str, refusals)))
    finish(run, service.pk, StepFailed("plan:refused", said) if refusals else planned)


@patient
def finish(run: Run, service_id: UUID, outcome: Planned | RunnerError) -> None:
    """Record how the run ended, and wake those that it held up."""
    problem = outcome.message if isinstance(outcome, RunnerError) else ""
    with locked(service_id) as service:
        claims.finish(run, outcome)
        events.record(
            actor=SYSTEM,
            action="rollback.plan-rehearsed",
            service_id=str(service.pk),
            subject={"run": str(run.pk)},
            after={"works": not problem},
            reason=problem,
        )
        push.service_changed(service.pk)
        outcomes.wake_queued(service)
