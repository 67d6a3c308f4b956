"""A person's decision at a gate."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from releases.models.step import Step
from terraform_runner.models import Run


class Decision(models.TextChoices):
    """What may be decided."""

    APPROVED = "approved"
    REJECTED = "rejected"


class Approval(models.Model):
    """Bound to what was shown: this plan, by the digest of its bytes and by that of its changes.

    Without a plan it is the request that was decided on, at the step that it stood before: both are its digest then.

    ``role`` are the roles and groups that its approver had then; ``withdrawn_at`` is when they took it back, before it
    was used.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    step = models.ForeignKey(Step, on_delete=models.PROTECT, related_name="approvals")
    plan_run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    plan_sha256 = models.CharField(max_length=64)
    changes_digest = models.CharField(max_length=64)
    epoch = models.PositiveIntegerField()
    decision = models.CharField(max_length=10, choices=Decision.choices)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(db_default=Now(), editable=False)
    role = models.CharField(max_length=200, blank=True)
    comment = models.TextField(max_length=2000, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["decided_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["step", "plan_run", "decided_by"],
                condition=models.Q(withdrawn_at__isnull=True),
                name="approval_one_decision_of_each_per_plan",
            ),
            models.CheckConstraint(
                condition=models.Q(decision__in=Decision.values), name="approval_decision_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.decision} {self.plan_sha256[:4]}"
