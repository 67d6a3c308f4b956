"""Runs and what they printed: the database's side of running Terraform."""

from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from terraform_runner.domain.runs import OPEN_STATUSES, Operation, RunStatus


class Run(models.Model):
    """One execution of Terraform, a plan or an apply, for one workspace.

    All times are the database's. ``worker`` is what ``claims.worker_name`` says, and holds the run until
    ``lease_until``; ``process_group`` and ``process_started`` identify the launcher that runs now, as
    ``process_identity`` does, and ``ending_since`` says that somebody is about to end that one. ``grace`` is how long
    its Terraform may take to end. An ``urgent`` run goes to workers of its own. ``state_lineage`` and ``state_serial``
    say which state it has planned on, or has written; empty if there was none yet. ``command``, ``terraform_version``
    and ``providers`` (versions by source) say by what it was done; empty before that has begun.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.CharField(max_length=200)
    operation = models.CharField(max_length=10, choices=[(item, item) for item in Operation])
    status = models.CharField(
        max_length=10, choices=[(item, item) for item in RunStatus], default=RunStatus.QUEUED
    )
    urgent = models.BooleanField(default=False)
    plan_run = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="apply_runs"
    )
    queued_at = models.DateTimeField(db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    grace = models.DurationField(db_default=timedelta(seconds=30))
    ending_since = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=300, blank=True)
    process_group = models.IntegerField(null=True, blank=True)
    process_started = models.FloatField(null=True, blank=True)
    exit_code = models.IntegerField(null=True, blank=True)
    error_code = models.CharField(max_length=50, blank=True)
    error_message = models.TextField(blank=True)
    plan_sha256 = models.CharField(max_length=64, blank=True)
    document_sha256 = models.CharField(max_length=64, blank=True)
    changes_digest = models.CharField(max_length=64, blank=True)
    changes = models.JSONField(default=list, blank=True)
    plan_removed_at = models.DateTimeField(null=True, blank=True)
    plan_used_at = models.DateTimeField(null=True, blank=True)
    outputs = models.JSONField(default=dict, blank=True)
    command = models.TextField(blank=True)
    terraform_version = models.CharField(max_length=40, blank=True)
    providers = models.JSONField(default=dict, blank=True)
    state_lineage = models.CharField(max_length=100, blank=True)
    state_serial = models.BigIntegerField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index("workspace", F("queued_at").desc(), name="run_workspace_latest"),
            models.Index(
                "ended_at",
                name="run_with_kept_plan",
                condition=Q(plan_removed_at=None) & ~Q(plan_sha256=""),
            ),
            models.Index("plan_sha256", name="run_plan_sha256", condition=~Q(plan_sha256="")),
            models.Index("document_sha256", name="run_document_sha256", condition=~Q(plan_sha256="")),
            models.Index(
                "workspace",
                F("ended_at").desc(),
                name="run_with_state",
                condition=Q(state_serial__isnull=False),
            ),
            models.Index("status", name="run_open", condition=Q(status__in=sorted(OPEN_STATUSES))),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace"],
                condition=Q(status=RunStatus.RUNNING),
                name="one_running_run_per_workspace",
            ),
            models.CheckConstraint(condition=Q(status__in=sorted(RunStatus)), name="run_status_known"),
            models.CheckConstraint(
                condition=Q(operation=Operation.PLAN, plan_run=None)
                | Q(operation=Operation.APPLY, plan_run__isnull=False),
                name="apply_has_its_plan",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation} of {self.workspace}, {self.status}"


class LogChunk(models.Model):
    """Some consecutive lines of a run's output, masked. ``first_line`` counts from 0."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="log_chunks")
    first_line = models.PositiveIntegerField()
    lines = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "first_line"], name="one_log_chunk_per_line"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}, from line {self.first_line}"


class Worker(models.Model):
    """A process that runs Terraform: its ``claims.worker_name``, its queues, and when it was last heard of.

    ``problem`` is why it cannot run any, empty if it can.
    """

    name = models.CharField(primary_key=True, max_length=300)
    queues = models.JSONField(default=list)
    problem = models.TextField(blank=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class ClockReading(models.Model):
    """What a machine has read last: the database's clock, and its own, in seconds, which nothing moves.

    ``jumped_at`` is when it noticed last that the database's clock had been moved, and ``jump_seconds`` how far.
    """

    machine = models.CharField(primary_key=True, max_length=100)
    read_at = models.DateTimeField()
    own_seconds = models.FloatField()
    jumped_at = models.DateTimeField(null=True, blank=True)
    jump_seconds = models.FloatField(default=0)

    def __str__(self) -> str:
        return f"{self.machine}, {self.read_at}"
