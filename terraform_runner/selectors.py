"""Reads about runs. Who may see them is decided by those who call."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Now

from terraform_runner.domain.runs import ENDED_STATUSES, Operation, RunStatus
from terraform_runner.domain.state_identity import StateIdentity
from terraform_runner.leases import after
from terraform_runner.models import LogChunk, Run


def get_run(run_id: UUID) -> Run:
    """One run with the plan run that it applies. Raises Run.DoesNotExist."""
    return Run.objects.select_related("plan_run").get(pk=run_id)


def list_runs(workspace: str) -> QuerySet[Run]:
    """A workspace's runs, newest first."""
    return Run.objects.filter(workspace=workspace).order_by("-queued_at", "-pk")


def last_state(workspace: str) -> StateIdentity | None:
    """Who a workspace's state was after its last run; None as long as no run has seen one."""
    seen = Run.objects.filter(workspace=workspace, state_serial__isnull=False).order_by("-ended_at")
    found = seen.values_list("state_lineage", "state_serial").first()
    return StateIdentity(lineage=found[0], serial=found[1] or 0) if found else None


def last_tools(workspace: str) -> dict[str, str]:
    """The versions by which a workspace's last plan was made: of "terraform", and of each provider by its source."""
    planned = Run.objects.filter(workspace=workspace, operation=Operation.PLAN).exclude(terraform_version="")
    found = planned.order_by("-queued_at").values_list("terraform_version", "providers").first()
    return {"terraform": found[0], **found[1]} if found else {}


def list_kept_plans(*, older_than_days: int) -> QuerySet[Run]:
    """Runs that ended so long ago and whose plan is in the store, the oldest first."""
    limit = Now() - Value(timedelta(days=older_than_days))
    return (
        Run.objects.filter(plan_removed_at=None, ended_at__lte=limit)
        .exclude(plan_sha256="")
        .order_by("ended_at")
    )


def digests_of_others(run: Run) -> set[str]:
    """Which of a run's digests another run names whose plan is in the store."""
    own = {run.plan_sha256, run.document_sha256}
    others = Run.objects.filter(Q(plan_sha256__in=own) | Q(document_sha256__in=own), plan_removed_at=None)
    pairs = others.exclude(pk=run.pk).values_list("plan_sha256", "document_sha256")
    return own & {digest for pair in pairs for digest in pair}


def list_unsent(*, older_than_seconds: float) -> QuerySet[Run]:
    """Runs which are queued and of which the workers were not told for so long, oldest first.

    A message can be lost, and a run whose workspace was held stays queued: both are found here. So is what was told at
    a time that is yet to come: the clock was set back since.
    """
    told = Coalesce(F("sent_at"), F("queued_at"))
    return (
        Run.objects.filter(status=RunStatus.QUEUED)
        .alias(told=told)
        .filter(Q(told__lte=after(-older_than_seconds)) | Q(told__gt=after(older_than_seconds)))
        .order_by("queued_at")
    )


def ended_among(run_ids: Sequence[UUID]) -> list[UUID]:
    """Those of these runs that have ended."""
    ended = Run.objects.filter(pk__in=run_ids, status__in=ENDED_STATUSES) if run_ids else Run.objects.none()
    return list(ended.values_list("pk", flat=True))


def list_taken_over(*, within_seconds: float) -> QuerySet[Run]:
    """The applies that were lost with their worker so short a time ago."""
    limit = Now() - Value(timedelta(seconds=within_seconds))
    return Run.objects.filter(status=RunStatus.LOST, operation=Operation.APPLY, ended_at__gt=limit)


def list_lines(run_id: UUID, *, after: int = 0, limit: int = 1000) -> list[tuple[int, str]]:
    """At most ``limit`` lines of a run's output, each with its number, from number ``after`` on."""
    # A chunk that begins before `after` may reach beyond it: the last such one is needed too.
    earlier = (
        LogChunk.objects.filter(run_id=run_id, first_line__lte=after)
        .order_by("-first_line")
        .values("first_line")
    )
    chunks = LogChunk.objects.filter(
        Q(first_line__gte=after) | Q(first_line__in=earlier[:1]), run_id=run_id, first_line__lt=after + limit
    ).order_by("first_line")
    numbered = [
        (chunk.first_line + offset, line) for chunk in chunks for offset, line in enumerate(chunk.lines)
    ]
    return [(number, line) for number, line in numbered if after <= number < after + limit]
