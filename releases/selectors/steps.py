"""Reading steps and their runs: a constant number of queries each."""

from uuid import UUID

from django.db.models import Q, QuerySet

from releases.domain.lifecycle import ENDED_STEP_STATUSES, StepStatus
from releases.models import Step
from terraform_runner import selectors as runs
from terraform_runner.domain.runs import Operation, RunStatus
from terraform_runner.models import LogChunk, Run

_ENDED = [status.value for status in ENDED_STEP_STATUSES]


def has_begun(step: Step) -> bool:
    """Whether an apply of this step was ever asked for, and so may have changed something at AWS."""
    return step.step_runs.filter(run__operation=Operation.APPLY).exists()


def get_step(step_id: UUID) -> Step:
    """One step with what belongs to it. Raises ``Step.DoesNotExist``."""
    return Step.objects.select_related("service", "release", "plan_run", "apply_run", "started_by").get(
        pk=step_id
    )


def step_of_run(run: Run) -> Step:
    """The step that a run belongs to."""
    return Step.objects.select_related("service", "release", "plan_run").get(step_runs__run=run)


def plan_run_of(apply_run: Run) -> Run:
    """The run whose plan an apply run applies; the database holds that there is one."""
    return Run.objects.get(apply_runs=apply_run)


def runs_of_step(step: Step) -> list[Run]:
    """A step's runs, newest first, the replaced plans among them; at most the twenty that it may have."""
    return list(Run.objects.filter(pk__in=step.step_runs.values("run")).order_by("-queued_at", "-pk"))


def lost_runs() -> list[tuple[Run, Step]]:
    """The runs that were lost with their worker and that a step still waits for, with that step."""
    planning = Q(status=StepStatus.PLANNING.value, plan_run__status=RunStatus.LOST)
    applying = Q(status=StepStatus.APPLYING.value, apply_run__status=RunStatus.LOST)
    steps = Step.objects.filter(planning | applying).select_related("service", "plan_run", "apply_run")
    waited_for = [(step.apply_run or step.plan_run, step) for step in steps]
    return [(run, step) for run, step in waited_for if run]


def plans_to_remove(*, older_than_days: int) -> QuerySet[Run]:
    """Plan runs that ended so long ago and whose plan is kept, but for those of steps that have not ended."""
    needed = Step.objects.exclude(status__in=_ENDED).filter(plan_run__isnull=False).values("plan_run")
    return runs.list_kept_plans(older_than_days=older_than_days).exclude(pk__in=needed)


def count_lines(run: Run) -> int:
    """How many lines of a run's output are kept by now."""
    last = LogChunk.objects.filter(run=run).order_by("-first_line").first()
    return last.first_line + len(last.lines) if last else 0
