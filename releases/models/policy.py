"""What is asked at the gates: an environment's usual policy, and what a service has of its own."""

from django.conf import settings
from django.db import models

from releases.models.service import Service


class Policy(models.Model):
    """Of an environment, or of one service in place of its environment's.

    ``content`` has the form of :func:`releases.domain.approval.gate_policy.to_columns`. ``changed_by`` is who changed
    it last, ``makers`` who made each part of it by which somebody can pass a gate
    (:func:`releases.domain.approval.gate_policy.makers`).
    """

    environment = models.SlugField(max_length=20, unique=True, null=True, blank=True)
    service = models.OneToOneField(
        Service, on_delete=models.CASCADE, null=True, blank=True, related_name="own_policy"
    )
    content = models.JSONField(default=dict, blank=True)

    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    makers = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(environment__isnull=False) ^ models.Q(service__isnull=False),
                name="policy_of_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"policy of {self.environment or self.service}"
