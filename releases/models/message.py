"""What people are told: written with what has happened, delivered afterwards, as often as it takes."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from releases.domain.messaging.messages import MessageKind, WebhookStyle
from releases.models.release import Release
from releases.models.service import Service
from releases.models.step import Step

KINDS = [(kind.value, kind.label) for kind in MessageKind]
STYLES = [(style.value, style.value) for style in WebhookStyle]


class Message(models.Model):
    """Something that has happened. Whom it goes to is found out afterwards, once: then it has its ``content``.

    ``content`` has the fields of :class:`releases.domain.messaging.messages.Told`. ``actor_id`` is who has done it,
    "" for nobody; ``about`` is the digest of the plan, or of the request (``of_request``), that is spoken of.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=20, choices=KINDS)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="messages")
    release = models.ForeignKey(
        Release, on_delete=models.PROTECT, null=True, blank=True, related_name="messages"
    )
    step = models.ForeignKey(Step, on_delete=models.PROTECT, null=True, blank=True, related_name="messages")
    about = models.CharField(max_length=64, blank=True)
    of_request = models.BooleanField(default=False)
    actor_id = models.CharField(max_length=40, blank=True)
    actor_name = models.CharField(max_length=200, blank=True)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    spread_at = models.DateTimeField(null=True, blank=True)
    content = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index("created_at", name="message_to_spread", condition=models.Q(spread_at__isnull=True)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind.value for kind in MessageKind]), name="message_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return self.kind


class Webhook(models.Model):
    """Where messages about one service go, or about all of them where ``service`` is null.

    ``address`` and ``secret`` are encrypted, since whoever knows an incoming address can post to it; ``host`` is what
    is shown of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    service = models.OneToOneField(
        Service, on_delete=models.PROTECT, null=True, blank=True, related_name="webhook"
    )
    style = models.CharField(max_length=10, choices=STYLES)
    host = models.CharField(max_length=300)
    address = models.TextField()
    secret = models.TextField(blank=True)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.ExpressionWrapper(models.Q(service__isnull=True), output_field=models.BooleanField()),
                condition=models.Q(service__isnull=True),
                name="webhook_once_for_all",
            ),
            models.CheckConstraint(
                condition=models.Q(style__in=[style.value for style in WebhookStyle]),
                name="webhook_style_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.style} {self.host}"


class DeliveryState(models.TextChoices):
    """How far a delivery is."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


class Delivery(models.Model):
    """One message to one person or webhook. ``to`` is their name, or its host, and stays when they are gone.

    ``claimed_until``: until then a worker is at it. ``dropped``: it was no longer needed, or its recipient may not have
    it any more.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="deliveries")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    webhook = models.ForeignKey(Webhook, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    to = models.CharField(max_length=300)
    state = models.CharField(
        max_length=10, choices=DeliveryState.choices, default=DeliveryState.WAITING.value
    )
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(db_default=Now())
    claimed_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    class Meta:
        ordering = ["-message__created_at", "to"]
        indexes = [
            models.Index(
                "next_try_at", name="delivery_due", condition=models.Q(state=DeliveryState.WAITING.value)
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["message", "person"], name="delivery_once_to_a_person"),
            models.UniqueConstraint(fields=["message", "webhook"], name="delivery_once_to_a_webhook"),
            models.CheckConstraint(
                condition=models.Q(state__in=DeliveryState.values), name="delivery_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message} to {self.to}, {self.state}"


class MailChoice(models.Model):
    """The kinds of mails that a person does not want; who has none gets all."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="mail_choice"
    )
    unwanted = models.JSONField(default=list, blank=True)

    def __str__(self) -> str:
        return f"mails of {self.user}"
