"""An emergency rollback: who pressed, what was tried, and the moments that its page shows."""

from django.conf import settings
from django.db import models
from uuid_utils.compat import uuid7

from releases.domain.traffic import Color
from releases.models.release import Release
from releases.models.service import COLORS, Service
from releases.models.step import Step


class EmergencyRollback(models.Model):
    """Accepted (``pressed_at``), traffic is back (``traffic_back_at``), Terraform agrees (``converge``).

    ``pressed_by`` is null for a press by the command line. ``problem`` is what keeps the traffic from being back,
    ``reason`` what people said afterwards: the next release waits for it.
    One that is not saved has not reached the database yet: a file of
    :mod:`releases.services.rollback.kept_presses` has it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="rollbacks")
    release = models.ForeignKey(Release, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    epoch = models.PositiveIntegerField()
    safe_color = models.CharField(max_length=5, choices=COLORS, default=Color.BLUE.value)
    pressed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    pressed_at = models.DateTimeField()
    traffic_back_at = models.DateTimeField(null=True, blank=True)
    set_again_at = models.DateTimeField(null=True, blank=True)
    problem = models.TextField(blank=True)
    reason = models.TextField(max_length=2000, blank=True)
    converge = models.OneToOneField(Step, on_delete=models.PROTECT, related_name="rollback")

    class Meta:
        ordering = ["-pressed_at"]
        constraints = [
            models.UniqueConstraint(fields=["service", "epoch"], name="rollback_one_per_epoch"),
        ]

    def __str__(self) -> str:
        return f"rollback {self.epoch} of {self.service_id}"

    @property
    def is_recorded(self) -> bool:
        """Whether the database has it."""
        return not self._state.adding


class Press(models.Model):
    """One press of the button, the first one or one that joined. ``id`` is made where it was pressed.

    ``batch`` is what presses of several services at once have in common. ``rollback`` is null where a release had gone
    on before the press could be recorded: then it is only told.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="presses")
    rollback = models.ForeignKey(
        EmergencyRollback, on_delete=models.PROTECT, null=True, blank=True, related_name="presses"
    )
    name = models.CharField(max_length=200)
    via = models.CharField(max_length=20)
    pressed_at = models.DateTimeField()
    batch = models.UUIDField(null=True, blank=True, db_index=True)

    class Meta:
        ordering = ["pressed_at"]

    def __str__(self) -> str:
        return f"press by {self.name}"


class Try(models.Model):
    """One attempt to set the rules that did not bring the traffic back."""

    rollback = models.ForeignKey(EmergencyRollback, on_delete=models.PROTECT, related_name="tries")
    at = models.DateTimeField()
    problem = models.TextField()

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return f"try at {self.at}"


class Watch(models.Model):
    """Which process looks after the rules following a press, and when it did so last (``seen_at``)."""

    rollback = models.OneToOneField(
        EmergencyRollback, on_delete=models.PROTECT, primary_key=True, related_name="watch"
    )
    watcher = models.CharField(max_length=200, blank=True)
    seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["seen_at"], condition=models.Q(ended_at=None), name="watch_open"),
        ]

    def __str__(self) -> str:
        return f"watch by {self.watcher}"


class TrafficCount(models.Model):
    """What the load balancer has counted since a rollback's traffic was back (``since``, a whole minute), as last read.

    The numbers are null where nothing was heard of a side. ``problem`` is why they could not be read the last time.
    """

    rollback = models.OneToOneField(
        EmergencyRollback, on_delete=models.PROTECT, primary_key=True, related_name="count"
    )
    read_at = models.DateTimeField()
    since = models.DateTimeField()
    safe = models.PositiveBigIntegerField(null=True, blank=True)
    other = models.PositiveBigIntegerField(null=True, blank=True)
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ["read_at"]

    def __str__(self) -> str:
        return f"requests since {self.since}"
