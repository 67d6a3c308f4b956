"""Reading what a release has done: a constant number of queries each."""

from django.db.models import Q

from audit.models import AuditEvent
from releases.domain.lifecycle import StepStatus
from releases.domain.traffic import ROTATIONS
from releases.models import Approval, Release, Step

_REACHED = [StepStatus.BAKING.value, StepStatus.DONE.value]


def somebody_was_sent(release: Release) -> bool:
    """Whether an apply that sends anybody to the release's version has begun, or was found to be done already."""
    sending = release.steps.exclude(transition__in=ROTATIONS)
    began = Q(step_runs__run__plan_used_at__isnull=False) | Q(status__in=_REACHED)
    return sending.filter(began).exists()


def release_has_begun(release: Release) -> bool:
    """Whether an apply of any of its steps has begun."""
    return release.steps.filter(step_runs__run__plan_used_at__isnull=False).exists()


def steps_of_release(release: Release) -> list[Step]:
    """A release's steps in the order of its plan, each with its current runs."""
    steps = release.steps.select_related(
        "service", "release", "plan_run", "apply_run", "started_by", "requested_by"
    )
    return list(steps.order_by("position"))


def approvals_of_release(release: Release) -> list[Approval]:
    """Who decided what at a release's gates, in the order of time."""
    given = Approval.objects.filter(step__release=release)
    return list(given.select_related("step", "decided_by", "plan_run").order_by("decided_at"))


def events_of_release(release: Release) -> list[AuditEvent]:
    """What happened to a release and its steps, newest first; at most the last 200."""
    events = AuditEvent.objects.filter(
        service_id=str(release.service_id), subject__release=str(release.pk)
    ).order_by("-pk")
    return list(events[:200])
