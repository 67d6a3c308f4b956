"""Reads about rollbacks: a constant number of queries each."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Now

from releases.domain.lifecycle import ENDED_STEP_STATUSES, OPEN_STATUSES, StepStatus
from releases.models import EmergencyRollback, Press, Release, Service, Step
from releases.selectors.unfinished import SPLIT
from terraform_runner.domain.runs import Operation, RunStatus
from terraform_runner.models import Run

_ENDED = [status.value for status in ENDED_STEP_STATUSES]
# Between a machine's clock and the database's, and between a transaction's begin and its end.
CLOCKS_DIFFER = timedelta(seconds=30)


def went_on(service: Service, *, since: datetime) -> bool:
    """Whether anything was begun for a service after a moment that its records only hear of now."""
    applies = Run.objects.filter(workspace=str(service.pk), plan_used_at__gt=since + CLOCKS_DIFFER)
    return applies.exists() or service.rollbacks.filter(pressed_at__gt=since + CLOCKS_DIFFER).exists()


def release_begun_since(rollback: EmergencyRollback) -> bool:
    """Whether an apply was let go that knows of the rollback, besides Terraform's own following of it."""
    later = Step.objects.filter(service=rollback.service_id, epoch__gte=rollback.epoch)
    return later.exclude(pk=rollback.converge_id).filter(step_runs__run__plan_used_at__isnull=False).exists()


def may_still_move(rollback: EmergencyRollback, *, cut_short_within: timedelta) -> bool:
    """Whether an apply from before a rollback goes on, or was cut short so short a time ago: interrupted, or lost.

    AWS may have one of its calls still.
    """
    applies = Q(step_runs__run__operation=Operation.APPLY)
    lately = Q(step_runs__run__ended_at__gt=Now() - Value(cut_short_within))
    cut_short = lately & Q(step_runs__run__status__in=[RunStatus.LOST, RunStatus.CANCELLED, RunStatus.FAILED])
    earlier = Step.objects.filter(service=rollback.service_id, epoch__lt=rollback.epoch)
    return earlier.filter(applies & (Q(step_runs__run__status=RunStatus.RUNNING) | cut_short)).exists()


def in_progress(services: QuerySet[Service]) -> QuerySet[Service]:
    """Those of which a release is open, or whose users or testers are divided."""
    open_release = Exists(Release.objects.filter(service=OuterRef("pk"), status__in=sorted(OPEN_STATUSES)))
    return services.filter(set_up_at__isnull=False, removed_at__isnull=True).filter(SPLIT | open_release)


def presses_at_once(batch: UUID, services: QuerySet[Service]) -> list[Press]:
    """The presses of several services at the same moment, of those among these services; one query."""
    presses = Press.objects.filter(batch=batch, service__in=services)
    return list(presses.select_related("service", "rollback__converge").order_by("service__name"))


def services_to_check(*, before: datetime) -> QuerySet[Service]:
    """Services with a way back, whose other side was last looked at before then; those never looked at come first."""
    somewhere_else = SPLIT | Q(promoted_at__isnull=False)
    due = Q(readiness__isnull=True) | Q(readiness__checked_at__lt=before)
    found = Service.objects.filter(set_up_at__isnull=False, removed_at__isnull=True).filter(
        somewhere_else, due
    )
    return found.order_by(F("readiness__checked_at").asc(nulls_first=True))


def rollbacks_to_count(*, back_within: timedelta, read_before: datetime) -> QuerySet[EmergencyRollback]:
    """Rollbacks whose traffic is back since so short a time that requests are still counted, and who is due first.

    Not where a release has begun since, or another rollback: then others are meant to be asked too.
    """
    later = Step.objects.filter(service=OuterRef("service"), epoch__gte=OuterRef("epoch"))
    begun = later.exclude(pk=OuterRef("converge_id")).filter(step_runs__run__plan_used_at__isnull=False)
    young = Q(traffic_back_at__gt=Now() - Value(back_within), epoch=F("service__epoch"))
    due = Q(count__isnull=True) | Q(count__read_at__lt=read_before)
    found = EmergencyRollback.objects.filter(young, due, ~Exists(begun)).select_related("service")
    return found.order_by(F("count__read_at").asc(nulls_first=True))


def failed_to_follow(
    *, codes: Collection[str], failed_before: datetime, pressed_after: datetime
) -> QuerySet[EmergencyRollback]:
    """The services' last rollbacks that Terraform could not follow for one of these reasons, as of a while ago."""
    ended = Coalesce("converge__apply_run__ended_at", "converge__plan_run__ended_at")
    failed = Q(converge__status=StepStatus.FAILED.value, converge__problem_code__in=codes)
    last = EmergencyRollback.objects.filter(failed, epoch=F("service__epoch"), pressed_at__gt=pressed_after)
    return last.alias(run_ended_at=ended).filter(run_ended_at__lt=failed_before)


def reason_due(service: Service) -> bool:
    """Whether nobody has said yet why the last rollback was pressed."""
    return service.rollbacks.order_by("-pressed_at").values_list("reason", flat=True).first() == ""


def rollback_going_on(service: Service) -> EmergencyRollback | None:
    """The emergency rollback which Terraform has neither confirmed nor failed to confirm yet."""
    return (
        EmergencyRollback.objects.filter(service=service, epoch=service.epoch)
        .exclude(converge__status__in=[*_ENDED, StepStatus.FAILED.value])
        .select_related("converge", "service")
        .first()
    )


def last_rollback(service: Service) -> EmergencyRollback | None:
    """The last emergency rollback, whatever came of it."""
    return (
        EmergencyRollback.objects.filter(service=service)
        .select_related("converge", "converge__apply_run", "converge__plan_run", "pressed_by", "release")
        .first()
    )
