"""An emergency rollback, with the moments that its page shows."""

from django.conf import settings
from django.db import models
from uuid_utils.compat import uuid7

from releases.domain.traffic import Color
from releases.models.release import Release
from releases.models.service import COLORS, Service
from releases.models.step import Step


class EmergencyRollback(models.Model):
    """Accepted (``pressed_at``), traffic is back (``traffic_back_at``), Terraform agrees (``converge``)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="rollbacks")
    release = models.ForeignKey(Release, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    epoch = models.PositiveIntegerField()
    safe_color = models.CharField(max_length=5, choices=COLORS, default=Color.BLUE.value)
    pressed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    pressed_at = models.DateTimeField()
    traffic_back_at = models.DateTimeField(null=True, blank=True)
    set_again_at = models.DateTimeField(null=True, blank=True)
    problem = models.TextField(blank=True)
    converge = models.OneToOneField(Step, on_delete=models.PROTECT, related_name="rollback")

    class Meta:
        ordering = ["-pressed_at"]
        constraints = [
            models.UniqueConstraint(fields=["service", "epoch"], name="rollback_one_per_epoch"),
        ]

    def __str__(self) -> str:
        return f"rollback {self.epoch} of {self.service_id}"
