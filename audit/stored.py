"""The chain as it is stored, in the order of its numbers; in constant memory."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from audit.canonical import moment
from audit.check_chain import NOTHING_BEFORE, Event
from audit.models import AuditEvent, ChainLink

ROWS_AT_ONCE = 2000
CONTENT = (
    "actor_id",
    "actor_name",
    "via",
    "action",
    "service_id",
    "subject",
    "before",
    "after",
    "reason",
    "context",
)
_CHAIN = """
SELECT link.number, link.hash, link.event_id::text,
    to_char(event.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), event.digest,
    CASE WHEN event.id IS NOT NULL THEN json_build_object(
        'id', event.id, 'actor_id', event.actor_id, 'actor_name', event.actor_name, 'via', event.via,
        'action', event.action, 'service_id', event.service_id, 'subject', event.subject, 'before', event.before,
        'after', event.after, 'reason', event.reason, 'context', event.context
    )::text END
FROM audit_chainlink AS link LEFT JOIN audit_auditevent AS event ON event.id = link.event_id
WHERE link.number IS NOT NULL
ORDER BY link.number
"""


@contextmanager
def whole_chain() -> Iterator[Iterator[Event]]:
    """All events with their places, as they are at one moment, whatever is recorded meanwhile."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        with connection.chunked_cursor() as cursor:
            cursor.execute(_CHAIN)
            yield map(Event._make, chain.from_iterable(iter(lambda: cursor.fetchmany(ROWS_AT_ONCE), [])))


def first_without_place() -> UUID | None:
    """An event that the chain doesn't have: it was put in past it. None where there is none."""
    outside = AuditEvent.objects.filter(link__number__isnull=True).order_by("id")
    return outside.values_list("id", flat=True).first()


def head() -> tuple[int, str]:
    """The number and the hash of the last event; 0 and what comes before the first one where there is none."""
    last = ChainLink.objects.filter(number__isnull=False).order_by("-number").first()
    return (last.number or 0, last.hash or "") if last else (0, NOTHING_BEFORE)


def export_line(event: AuditEvent) -> str:
    """One event with its place, in the same form; one that was put in past the chain has no number and no hash."""
    link = getattr(event, "link", None)
    place = {"number": link and link.number, "hash": link and link.hash, "digest": event.digest}
    content = {name: getattr(event, name) for name in CONTENT}
    return _line({**place, "at": moment(event.at), "id": str(event.pk), **content})


def export_lines(events: Iterable[Event]) -> Iterator[str]:
    """Events as JSON Lines, for :mod:`audit.check_chain`.

    Of an event that is missing only its place is left: ``number``, ``hash``, ``digest``, ``at`` and ``id``.
    """
    for event in events:
        place = {"number": event.number, "hash": event.hash, "digest": event.digest, "at": event.at}
        content = json.loads(event.content) if event.content else {"id": event.id}
        yield _line({**place, **content})


def _line(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False) + "\n"
