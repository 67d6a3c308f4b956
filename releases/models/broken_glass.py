"""A gate that somebody opened without those whom it asks for."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from releases.models.step import Step
from terraform_runner.models import Run


class BrokenGlass(models.Model):
    """Bound to what was shown, as an approval is; flagged until somebody else has reviewed it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    step = models.ForeignKey(Step, on_delete=models.PROTECT, related_name="broken_glasses")
    plan_run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    plan_sha256 = models.CharField(max_length=64)
    changes_digest = models.CharField(max_length=64)
    epoch = models.PositiveIntegerField()
    broken_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    broken_at = models.DateTimeField(db_default=Now(), editable=False)
    reason = models.TextField(max_length=2000)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    review = models.TextField(max_length=2000, blank=True)

    class Meta:
        ordering = ["broken_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(reviewed_by__isnull=True) | ~models.Q(reviewed_by=models.F("broken_by")),
                name="broken_glass_reviewed_by_somebody_else",
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="broken_glass_has_its_reason"),
        ]

    def __str__(self) -> str:
        return f"broken glass {self.plan_sha256[:4]}"
