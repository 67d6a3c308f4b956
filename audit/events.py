"""Writing the trail: :func:`record` is its only writer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785
from django.db import transaction
from uuid_utils.compat import uuid7

from audit import context as contexts
from audit.actions import ACTIONS
from audit.canonical import digest_of
from audit.masking import masked, masked_text
from audit.models import MAX_LENGTHS, AuditEvent

MAX_JSON_BYTES = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts: a person's id and name as they are now, or a part of the program (empty id).

    ``via`` is the way by which they act, one of ``audit.models.VIAS``.
    """

    id: str
    name: str
    via: str


def record(
    *,
    actor: Actor,
    action: str,
    service_id: str = "",
    subject: Mapping[str, Any] | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    context: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Add an event to the trail, in the transaction of the change that it tells of.

    ``subject`` names what was acted on, ``before`` and ``after`` hold what changed, ``context`` how the act came in
    (what :mod:`audit.context` knows of it, unless it is given): JSON that has a canonical form (RFC 8785), each at
    most 64 KiB. A name or reason that is too long is cut visibly, because
    the record of a failure must not fail itself; an id or document that doesn't fit, or isn't JSON, and an action that
    isn't one of :data:`audit.actions.ACTIONS` raise ``ValueError``.

    Secrets are masked (:mod:`audit.masking`). The database gives the event its number in the chain when the
    transaction is committed (:class:`audit.models.ChainLink`).

    Raises ``TransactionManagementError`` outside a transaction: the change could be kept without its event.
    """
    _require_transaction()
    identifier = uuid7()
    content = {
        "actor_id": _fitting("actor_id", actor.id),
        "actor_name": _cut("actor_name", actor.name),
        "via": _fitting("via", actor.via),
        "action": _known(action),
        "service_id": _fitting("service_id", service_id),
        "subject": _document("subject", subject),
        "before": _document("before", before),
        "after": _document("after", after),
        "reason": _cut("reason", reason),
        "context": _document("context", contexts.current() if context is None else context),
    }
    digest = digest_of({"id": str(identifier), **content})
    return AuditEvent.objects.create(id=identifier, **content, digest=digest)


def _require_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(
            "An audit event belongs to the transaction of the change it tells of: record it inside atomic()."
        )


def _known(action: str) -> str:
    if action not in ACTIONS:
        raise ValueError(f"“{action[:80]}” is no action of the trail: audit/actions.py lists them.")
    return action


def _fitting(field: str, text: str) -> str:
    limit = MAX_LENGTHS[field]
    if len(text) > limit:
        raise ValueError(f"{field} of an audit event has {len(text)} characters; {limit} fit.")
    return text


def _cut(field: str, text: str) -> str:
    """Bound a text, without what looks like a secret."""
    text = masked_text(text)
    limit = MAX_LENGTHS[field]
    if len(text) <= limit:
        return text
    mark = f"… [cut from {len(text)} characters]"
    return text[: limit - len(mark)] + mark


def _document(field: str, value: Mapping[str, Any] | None) -> dict[str, Any]:
    document: dict[str, Any] = masked(dict(value or {}))
    size = len(rfc8785.dumps(document))
    if size > MAX_JSON_BYTES:
        raise ValueError(f"{field} of an audit event has {size} bytes; {MAX_JSON_BYTES} fit.")
    return document
