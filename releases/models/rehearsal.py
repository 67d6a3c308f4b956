"""A rehearsal of the emergency button: all of it, with the weights that are there already."""

from django.conf import settings
from django.db import models
from uuid_utils.compat import uuid7

from releases.models.service import Service


class Rehearsal(models.Model):
    """``parts`` are what was done, in order: each with ``what``, ``seconds``, and a ``problem`` where it had one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="rehearsals")
    rehearsed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    parts = models.JSONField(default=list)

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"rehearsal of {self.service_id}"

    @property
    def seconds(self) -> float:
        """How long all of it took."""
        return float(sum(part["seconds"] for part in self.parts))

    @property
    def problems(self) -> int:
        """How many parts did not work."""
        return sum(bool(part["problem"]) for part in self.parts)
