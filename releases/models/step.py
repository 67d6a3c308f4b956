"""A rollout step: one transition with its gate, its runs and its bake time."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from releases.domain.lifecycle import StepStatus
from releases.domain.traffic import Transition
from releases.models.release import Release
from releases.models.service import Service
from terraform_runner.models import Run


class Step(models.Model):
    """Set-up, settings, removal, and what follows an emergency rollback, are steps without a place in a rollout plan.

    ``state_before`` and ``state_after`` are the variables that the current plan was made from and for, in the form of
    :func:`releases.services.states.to_json`; ``versions_before`` are the published versions that the aliases led to
    then; ``epoch`` is the service's when that plan was asked for. ``rest_of`` is the changes digest of an approved
    plan that was applied in part, where the current one is the rest of it. ``requested_by`` is who asked for this
    very step (a weight that was set by hand, or what belongs to no release), where that is not simply who requested
    the release; an ``automatic`` one starts itself. ``settings_before`` and ``settings_after`` are the settings that
    a settings run leads from and to, in the form of :func:`releases.domain.provisioning.settings.to_columns`.
    ``gives_up_requests``: a removal that somebody asked for knowing that requests may still come. ``wanted`` are the
    groups and roles, as the policy has them, of which somebody is missing at its gate, "" for whoever may approve:
    none where nobody is. It was so when the service was last brought forward, for lists; the gate itself is asked
    anew. ``asked_at`` is since when somebody has been missing, ``look_again_at`` when that may have changed without
    anything being done here. ``request_digest``: it is the release's request that waits there, the one that has this
    digest; empty where it is the step's plan.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="steps")
    release = models.ForeignKey(
        Release, on_delete=models.PROTECT, null=True, blank=True, related_name="steps"
    )
    position = models.PositiveSmallIntegerField(default=0)
    transition = models.CharField(max_length=20)
    candidate_share = models.PositiveSmallIntegerField()
    gate = models.BooleanField(default=False)
    wanted = models.JSONField(default=list, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    look_again_at = models.DateTimeField(null=True, blank=True)
    request_digest = models.CharField(max_length=64, blank=True)
    automatic = models.BooleanField(default=False)
    bake_seconds = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=12, default=StepStatus.PENDING.value)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.TextField(max_length=2000, blank=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    started_at = models.DateTimeField(null=True, blank=True)
    epoch = models.PositiveIntegerField(default=0)
    state_before = models.JSONField(default=dict, blank=True)
    state_after = models.JSONField(default=dict, blank=True)
    versions_before = models.JSONField(default=dict, blank=True)
    rest_of = models.CharField(max_length=64, blank=True)
    settings_before = models.JSONField(default=dict, blank=True)
    settings_after = models.JSONField(default=dict, blank=True)
    gives_up_requests = models.BooleanField(default=False)
    plan_run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    apply_run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    bake_until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    problem_code = models.CharField(max_length=60, blank=True)
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ["release", "position", "created_at"]
        constraints = [
            models.UniqueConstraint(
                # Checked at the end of each statement, so that one can make room for a step.
                fields=["release", "position"],
                deferrable=models.Deferrable.IMMEDIATE,
                name="step_position_unique",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=[status.value for status in StepStatus]),
                name="step_status_known",
            ),
            models.CheckConstraint(
                condition=models.Q(transition__in=[transition.value for transition in Transition]),
                name="step_transition_known",
            ),
            models.CheckConstraint(
                condition=models.Q(candidate_share__lte=100), name="step_share_at_most_100"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.transition} {self.candidate_share} %"


class StepRun(models.Model):
    """Which runs belong to a step, the replaced plans among them."""

    step = models.ForeignKey(Step, on_delete=models.PROTECT, related_name="step_runs")
    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["run__queued_at"]

    def __str__(self) -> str:
        return f"{self.step_id} {self.run_id}"
