"""A release: bringing one version to one service."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from releases.domain.lifecycle import OPEN_STATUSES, ReleaseStatus
from releases.domain.tickets import address_of
from releases.models.service import Service


class Release(models.Model):
    """``from_image`` and ``from_configuration`` are what the users had when it was requested, for the history.

    A configuration has the form of :mod:`releases.domain.versions.configuration`. ``canary_addresses`` are those whom
    its canary sends, or will send when the steps that are asked for are done. ``tag_moved_to`` is where the tag leads
    now, a digest, if that is no longer the release's. ``changed_by`` is who changed its course last.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="releases")
    number = models.PositiveIntegerField()
    image = models.CharField(max_length=400)
    tag = models.CharField(max_length=128, blank=True)
    tag_moved_to = models.CharField(max_length=71, blank=True)
    configuration = models.JSONField(default=dict, blank=True)
    from_configuration = models.JSONField(default=dict, blank=True)
    from_image = models.CharField(max_length=400)
    from_tag = models.CharField(max_length=128, blank=True)
    canary_addresses = models.JSONField(default=list, blank=True)
    reason = models.TextField(max_length=2000, blank=True)
    ticket = models.CharField(max_length=300, blank=True)
    status = models.CharField(max_length=12, default=ReleaseStatus.OPEN.value)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    requested_at = models.DateTimeField(db_default=Now(), editable=False)
    paused_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["service", "number"], name="release_number_unique"),
            models.UniqueConstraint(
                fields=["service"],
                condition=models.Q(status__in=[status.value for status in sorted(OPEN_STATUSES)]),
                name="release_one_open_per_service",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=[status.value for status in ReleaseStatus]),
                name="release_status_known",
            ),
        ]

    def __str__(self) -> str:
        return f"R-{self.number}"

    @property
    def ticket_address(self) -> str:
        """Where its ticket leads to; empty where that is no address."""
        return address_of(self.ticket)

    @property
    def digest(self) -> str:
        """Its image's."""
        return self.image.partition("@")[2]

    @property
    def is_open(self) -> bool:
        """Whether it still goes on, now or once it is resumed."""
        return ReleaseStatus(self.status) in OPEN_STATUSES

    @property
    def is_paused(self) -> bool:
        """Whether it waits for somebody to resume it."""
        return self.status == ReleaseStatus.PAUSED.value
