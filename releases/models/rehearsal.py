"""A rehearsal of the emergency button: all of it, with the weights that are there already."""

from django.conf import settings
from django.db import models
from uuid_utils.compat import uuid7

from releases.models.service import Service
from terraform_runner.domain.runs import RunStatus
from terraform_runner.models import Run

_WITHOUT_PLAN = frozenset({RunStatus.FAILED, RunStatus.LOST, RunStatus.CANCELLED})


class Rehearsal(models.Model):
    """``parts`` are what was done, in order: each with ``what``, ``seconds``, and a ``problem`` where it had one.

    ``plan_run`` is Terraform's part, which takes longer: a plan that is never applied.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="rehearsals")
    rehearsed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    parts = models.JSONField(default=list)
    plan_run = models.OneToOneField(
        Run, on_delete=models.PROTECT, null=True, blank=True, related_name="rehearsal"
    )

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"rehearsal of {self.service_id}"

    @property
    def seconds(self) -> float:
        """How long all of it took, but for Terraform's part, which nobody's traffic waits for."""
        return float(sum(part["seconds"] for part in self.parts))

    @property
    def plan_problem(self) -> str:
        """Why Terraform's part did not work; empty where it did, or has not ended."""
        run = self.plan_run
        return "" if run is None or run.status not in _WITHOUT_PLAN else run.error_message or run.status

    @property
    def problems(self) -> int:
        """How many parts did not work."""
        return sum(bool(part["problem"]) for part in self.parts) + bool(self.plan_problem)
