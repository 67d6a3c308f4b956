"""Reads for pages and services: a constant number of queries each."""

from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from releases.domain.lifecycle import ENDED_STEP_STATUSES, ReleaseStatus, StepStatus
from releases.models import EmergencyRollback, Service, Step
from terraform_runner.models import Run

_ENDED = [status.value for status in ENDED_STEP_STATUSES]


def unfinished_steps(service: Service) -> QuerySet[Step]:
    """What has not ended: set-up and convergence before the steps of the open release, in the order of its plan."""
    return (
        Step.objects.filter(service=service)
        .filter(Q(release__isnull=True) | Q(release__status=ReleaseStatus.OPEN.value))
        .exclude(status__in=_ENDED)
        .select_related("service", "release", "plan_run", "apply_run", "started_by")
        .order_by(Q(release__isnull=False), "position", "created_at")
    )


def current_step(service: Service) -> Step | None:
    """The one step that the service is at, or that blocks it; nothing when everything has ended."""
    return unfinished_steps(service).first()


def step_of_run(run: Run) -> Step:
    """The step that a run belongs to."""
    return Step.objects.select_related("service", "release", "plan_run").get(step_runs__run=run)


def get_step(step_id: UUID) -> Step:
    """One step with what belongs to it. Raises ``Step.DoesNotExist``."""
    return Step.objects.select_related("service", "release", "plan_run", "apply_run", "started_by").get(
        pk=step_id
    )


def plan_run_of(apply_run: Run) -> Run:
    """The run whose plan an apply run applies; the database holds that there is one."""
    return Run.objects.get(apply_runs=apply_run)


def rollback_going_on(service: Service) -> EmergencyRollback | None:
    """The emergency rollback which Terraform has neither confirmed nor failed to confirm yet."""
    return (
        EmergencyRollback.objects.filter(service=service, epoch=service.epoch)
        .exclude(converge__status__in=[*_ENDED, StepStatus.FAILED.value])
        .select_related("converge")
        .first()
    )


def last_rollback(service: Service) -> EmergencyRollback | None:
    """The last emergency rollback, whatever came of it."""
    return (
        EmergencyRollback.objects.filter(service=service)
        .select_related("converge", "converge__apply_run", "converge__plan_run", "pressed_by", "release")
        .first()
    )


def services_with_something_due() -> list[UUID]:
    """Services whose current step may move by itself: due to be planned, ready to be applied, or baked."""
    waiting = Q(status=StepStatus.PENDING.value) | Q(
        status=StepStatus.WAITING.value, started_at__isnull=False
    )
    baked = Q(status=StepStatus.BAKING.value, bake_until__lte=timezone.now())
    still_open = Q(release__isnull=True) | Q(release__status=ReleaseStatus.OPEN.value)
    due = Step.objects.filter(waiting | baked).filter(still_open)
    return list(due.order_by().values_list("service_id", flat=True).distinct())
