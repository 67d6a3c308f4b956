"""Takes one delivery where it belongs: a mail to a person, or a post to a webhook."""

import smtplib
import time

from django.core.mail import EmailMessage, get_connection
from django.core.mail.message import BadHeaderError

from releases.domain.access.decisions import Permission, has_permission
from releases.domain.messaging.messages import MessageKind, Told, WebhookStyle, signature, to_mail, to_webhook
from releases.domain.messaging.outgoing import InvalidTarget
from releases.models import Delivery
from releases.permissions import as_person
from releases.services.messaging import posts, webhooks
from terraform_runner.errors import RunnerError


class NotDelivered(Exception):
    """It did not arrive, as far as is known; said to those who look after messages."""


def send(delivery: Delivery) -> bool:
    """Send it; False where its recipient is gone, or may not have it any more. Raises NotDelivered."""
    told = Told(**{**delivery.message.content, "kind": MessageKind(delivery.message.kind)})
    return _post(delivery, told) if delivery.person is None else _mail(delivery, told)


def _mail(delivery: Delivery, told: Told) -> bool:
    person = delivery.person
    if person is None or not person.email:
        return False
    if not has_permission(as_person(person, delivery.message.service), Permission.VIEW):
        return False
    subject, text = to_mail(told)
    # Whoever gets the same twice sees by its id that it is one.
    headers = {"Message-ID": f"<{delivery.pk}@bluegreen>", "Auto-Submitted": "auto-generated"}
    try:
        with get_connection() as connection:
            EmailMessage(subject, text, None, [person.email], headers=headers, connection=connection).send()
    except (OSError, smtplib.SMTPException, BadHeaderError, ValueError) as error:
        raise NotDelivered(f"The mail was not taken: {error}") from error
    return True


def _post(delivery: Delivery, told: Told) -> bool:
    webhook = delivery.webhook
    if webhook is None:
        return False
    at = delivery.message.created_at.isoformat(timespec="seconds")
    body = to_webhook(told, WebhookStyle(webhook.style), message_id=str(delivery.message_id), at=at)
    try:
        address, secret = webhooks.reveal(webhook)
        posts.post(address, body, headers=_headers(secret, body))
    except (InvalidTarget, RunnerError, posts.PostFailed) as error:
        raise NotDelivered(str(error)) from error
    return True


def _headers(secret: str, body: bytes) -> dict[str, str]:
    timestamp = int(time.time())
    signed = {
        "Bluegreen-Timestamp": str(timestamp),
        "Bluegreen-Signature": f"v1={signature(secret, timestamp, body)}",
    }
    return {"Content-Type": "application/json", "User-Agent": "Bluegreen", **(signed if secret else {})}
