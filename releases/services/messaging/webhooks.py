"""Where messages go besides mails: one webhook for each service, and one for all. What is secret of it is encrypted."""

import base64
import binascii
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from audit import events
from audit.events import Actor
from releases.domain.access.decisions import Allowed, Decision, Permission, Refused, has_permission
from releases.domain.errors import DomainError
from releases.domain.messaging.messages import MessageKind, WebhookStyle
from releases.domain.messaging.outgoing import parse_target
from releases.models import Service, Webhook
from releases.permissions import NotAllowed, as_person
from releases.selectors.roles import administered_by
from releases.services.lifecycle import person
from releases.services.messaging.telling import tell
from terraform_runner.errors import EncryptedDamaged

SHORTEST_SECRET = 16
_NOT_FOR_ALL = Refused(
    "person:no-permission", "An administrator decides where the messages of all services go."
)


class InvalidWebhook(DomainError):
    """A webhook that cannot be."""


@dataclass(frozen=True, kw_only=True)
class WantedWebhook:
    """As somebody wants it; an empty address or secret leaves the one that there is."""

    style: WebhookStyle
    address: str
    secret: str


def change(*, service: Service | None, user: User, wanted: WantedWebhook) -> None:
    """Set the webhook of a service, or the one for all.

    Raises ``NotAllowed``, ``InvalidTarget`` and ``InvalidWebhook``.
    """
    refuse_unless_allowed(service, user)
    keep(service=service, wanted=wanted, actor=person(user))


def keep(*, service: Service | None, wanted: WantedWebhook, actor: Actor) -> None:
    """Keep a webhook, whoever asks for it. Raises ``InvalidTarget`` and ``InvalidWebhook``."""
    if wanted.secret and len(wanted.secret) < SHORTEST_SECRET:
        raise InvalidWebhook("webhook:secret", f"Write a secret of at least {SHORTEST_SECRET} characters.")
    with transaction.atomic():
        webhook = Webhook.objects.select_for_update().filter(service=service).first()
        before = _shown(webhook)
        webhook = webhook or Webhook(service=service)
        if wanted.address:
            webhook.host = parse_target(wanted.address, allow_loopback=settings.WEBHOOK_LOOPBACK).host
            webhook.address = _encrypt(webhook.pk, wanted.address)
        if wanted.secret:
            webhook.secret = _encrypt(webhook.pk, wanted.secret)
        webhook.style = wanted.style.value
        _refuse_unfinished(webhook)
        webhook.save()
        _record(service, actor, before, _shown(webhook))


def remove(*, service: Service | None, user: User) -> None:
    """Send nothing there any more. Raises ``NotAllowed``."""
    refuse_unless_allowed(service, user)
    with transaction.atomic():
        webhook = Webhook.objects.select_for_update().filter(service=service).first()
        if webhook is not None:
            webhook.delete()
            _record(service, person(user), _shown(webhook), {})


@transaction.atomic
def send_test(*, service: Service, user: User) -> None:
    """Send a test where messages about a service go: its webhook, the one for all, and this person's mail.

    Raises ``NotAllowed`` and, where there is none of these, ``InvalidWebhook``.
    """
    refuse_unless_allowed(service, user)
    has_mail = settings.MAIL_IS_SET_UP and user.email
    if not has_mail and not Webhook.objects.filter(Q(service=service) | Q(service__isnull=True)).exists():
        raise InvalidWebhook(
            "message:nowhere",
            "Messages go nowhere yet: set a webhook, or your e-mail address, and test then.",
        )
    tell(MessageKind.TEST, service, actor=person(user))
    events.record(
        actor=person(user),
        action="message.tested",
        service_id=str(service.pk),
        subject={"service": service.name},
    )


def may_change(service: Service | None, user: User) -> Decision:
    """Who manages a service, or for the webhook for all who is an administrator of everything."""
    if service is not None:
        return has_permission(as_person(user, service), Permission.MANAGE)
    return Allowed() if administered_by(user).everywhere else _NOT_FOR_ALL


def refuse_unless_allowed(service: Service | None, user: User) -> None:
    """Raise ``NotAllowed`` unless this person may."""
    answer = may_change(service, user)
    if isinstance(answer, Refused):
        raise NotAllowed(answer.code, answer.reason)


def reveal(webhook: Webhook) -> tuple[str, str]:
    """Address and secret in the clear. Raises what ``KeyRing.decrypt`` raises."""
    return _decrypt(webhook.pk, webhook.address), _decrypt(webhook.pk, webhook.secret)


def renew(webhook: Webhook) -> bool:
    """The same by the first key; gives whether anything was renewed. Raises what ``reveal`` raises."""
    before = (webhook.address, webhook.secret)
    webhook.address, webhook.secret = (_renew(webhook.pk, stored) for stored in before)
    if before == (webhook.address, webhook.secret):
        return False
    webhook.save(update_fields=["address", "secret"])
    return True


def _refuse_unfinished(webhook: Webhook) -> None:
    if not webhook.address:
        raise InvalidWebhook("webhook:address", "Write the address.")
    if webhook.style == WebhookStyle.JSON and not webhook.secret:
        raise InvalidWebhook(
            "webhook:secret", "Write a secret: by it the receiver knows that a message is Bluegreen's."
        )


def _shown(webhook: Webhook | None) -> dict[str, object]:
    """What the trail has of it."""
    if webhook is None:
        return {}
    return {"style": webhook.style, "host": webhook.host, "is_signed": bool(webhook.secret)}


def _record(
    service: Service | None, actor: Actor, before: dict[str, object], after: dict[str, object]
) -> None:
    events.record(
        actor=actor,
        action="webhook.changed",
        service_id=str(service.pk) if service else "",
        subject={"service": service.name if service else "all"},
        before=before,
        after=after,
    )


def _encrypt(webhook_id: UUID, clear: str) -> str:
    encrypted = settings.KEY_RING.encrypt(clear.encode(), context=_context(webhook_id))
    return base64.urlsafe_b64encode(encrypted).decode()


def _decrypt(webhook_id: UUID, stored: str) -> str:
    if not stored:
        return ""
    clear: bytes = settings.KEY_RING.decrypt(_decode(stored), context=_context(webhook_id))
    return clear.decode()


def _renew(webhook_id: UUID, stored: str) -> str:
    if not stored:
        return ""
    renewed = settings.KEY_RING.renew(_decode(stored), context=_context(webhook_id))
    return base64.urlsafe_b64encode(renewed).decode()


def _decode(stored: str) -> bytes:
    try:
        return base64.b64decode(stored, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise EncryptedDamaged(
            "The stored webhook is damaged: write its address and secret again."
        ) from error


def _context(webhook_id: UUID) -> bytes:
    return f"webhook {webhook_id}".encode()
