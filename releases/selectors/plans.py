"""Reads about plans, what they are compared with, and who waits for whom: a constant number of queries each."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import Coalesce, DenseRank

from releases.domain.lifecycle import OPEN_STATUSES
from releases.models import Approval, Service, Step, StepRun
from releases.selectors.unfinished import AT_A_GATE
from terraform_runner.domain.runs import RunStatus

_WITH_ALL = ("service", "release", "release__requested_by", "requested_by", "plan_run")

Applied = tuple[int, Sequence[Mapping[str, Any]]]
"""A release's number, and the changes of a plan of it that was applied."""


def applied_plans(steps: Sequence[Step], *, releases: int) -> dict[UUID, list[Applied]]:
    """For each of these steps of releases what was applied for the same transition in the service's releases before it.

    So many last releases of each service; one query.
    """
    numbers = {step.pk: step.release.number for step in steps if step.release is not None}
    of_releases = [step for step in steps if step.pk in numbers]
    if not of_releases:
        return {}
    wanted = Q()
    for step in of_releases:
        earlier = Q(release__number__lt=numbers[step.pk])
        wanted |= earlier & Q(service=step.service_id, transition=step.transition)
    newest = Window(
        DenseRank(), partition_by=[F("service"), F("transition")], order_by=F("release__number").desc()
    )
    found = (
        Step.objects.filter(wanted, apply_run__status=RunStatus.SUCCEEDED)
        .annotate(age=newest)
        .filter(age__lte=releases)
        .order_by()
        .values_list("service_id", "transition", "release__number", "plan_run__changes")
    )
    rows = list(found)
    return {
        step.pk: [
            (number, changes)
            for service_id, transition, number, changes in rows
            if (service_id, transition) == (step.service_id, step.transition) and number < numbers[step.pk]
        ]
        for step in of_releases
    }


def steps_with_failed_runs(steps: Sequence[Step], *, code: str) -> set[UUID]:
    """Those of these steps of which a run ended with this error; one query."""
    failed = StepRun.objects.filter(step__in=steps, run__error_code=code)
    return set(failed.order_by().values_list("step_id", flat=True))


def plans_for_others(services: QuerySet[Service], *, but: QuerySet[Step]) -> QuerySet[Step]:
    """The plans and requests of these services that wait for a decision, but for these; the oldest first."""
    waiting = Step.objects.filter(AT_A_GATE, service__in=services).exclude(wanted=[])
    is_open = Q(release__isnull=True) | Q(release__status__in=sorted(OPEN_STATUSES))
    return (
        waiting.filter(is_open)
        .exclude(pk__in=but.order_by().values("pk"))
        .select_related(*_WITH_ALL)
        .order_by(Coalesce("plan_run__ended_at", "asked_at"), "pk")
    )


def decisions_by(user: User, *, services: QuerySet[Service]) -> QuerySet[Approval]:
    """What somebody has decided for these services, newest first."""
    decisions = Approval.objects.filter(decided_by=user, step__service__in=services)
    return decisions.select_related("step__service", "step__release").order_by("-decided_at", "-pk")


def approvals_of(step: Step) -> list[Approval]:
    """Who decided what on a step, in the order of time."""
    return list(step.approvals.select_related("decided_by").order_by("decided_at"))
