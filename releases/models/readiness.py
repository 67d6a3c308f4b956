"""Whether the function that a rollback leads to could serve everybody, as it was last looked at."""

from django.db import models

from releases.models.service import COLORS, Service


class Readiness(models.Model):
    """``problems`` are sentences; ``probe_problem`` is what was wrong with its answer to the last probe."""

    service = models.OneToOneField(
        Service, on_delete=models.PROTECT, primary_key=True, related_name="readiness"
    )
    color = models.CharField(max_length=5, choices=COLORS)
    checked_at = models.DateTimeField()
    problems = models.JSONField(default=list)
    probed_at = models.DateTimeField(null=True, blank=True)
    probe_problem = models.TextField(blank=True)

    class Meta:
        ordering = ["checked_at"]

    def __str__(self) -> str:
        return f"readiness of {self.color} of {self.service_id}"

    @property
    def is_ready(self) -> bool:
        """Whether nothing was found that would keep it from serving."""
        return not self.problems and not self.probe_problem
