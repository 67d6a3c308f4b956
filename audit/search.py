"""Searching the trail: a page of results costs about the same, however long the trail is.

All conditions together may be met by few events that are far apart. So only so many events of one index are looked
through for a page, of the index that reaches furthest back with them; where that wasn't all, the page says how far it
has come, and the next one goes on from there.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from audit.models import AuditEvent

LOOKED_THROUGH = 5_000
# A text in no more events than these is found by its index. Any other one is looked for event by event, which is slow.
RARE = 10_000
LOOKED_THROUGH_FOR_TEXT = 1_000
# So many are read at a time where all are wanted.
AT_ONCE = 2_000
# An id begins with the time of the machine that made it; clocks differ, and a transaction may take a while.
SLACK = timedelta(days=1)

_TEXT = "audit_words(actor_name, reason, subject, before, after) @@ to_tsquery('simple', %(text)s)"
_INDEXED = {
    "request_id": "context ->> 'request_id' = %(request_id)s",
    "release_id": "subject ->> 'release' = %(release_id)s",
    "service_ids": "service_id = ANY(%(service_ids)s)",
    "actor": "actor_name = %(actor)s",
    "action": "action = %(action)s",
}
_BOUNDS = {
    "before": "id < %(before)s",
    "first_id": "id >= %(first_id)s",
    "last_id": "id < %(last_id)s",
}
_TIMES = {"since": "at >= %(since)s", "until": "at < %(until)s"}
_PAGE = """
SELECT id FROM (
    SELECT * FROM audit_auditevent WHERE {candidates} ORDER BY id DESC LIMIT %(window)s
) AS candidate WHERE {all} ORDER BY id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is wanted; what is empty, or None, is not asked for.

    ``service_ids`` are the only ones whose events may be found (None: of all, and of none). A ``text`` is the beginning
    of words, all of which are in the event. ``since`` is included and ``until`` isn't.
    """

    service_ids: Collection[str] | None = None
    actor: str = ""
    action: str = ""
    release_id: str = ""
    request_id: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """Events, newest first, each with its place in the chain.

    ``older`` is before which id the next page begins, None where there is none. ``looked_until`` is how far the search
    has come where it has found less than a page, and has not seen everything yet.
    """

    events: list[AuditEvent]
    older: UUID | None
    looked_until: datetime | None = None


def find(search: Search, *, before: UUID | None = None, limit: int = 50) -> Page:
    """The newest events, or the newest ``before`` that id."""
    given = _given(search, before)
    asked = [condition for name, condition in _INDEXED.items() if name in given]
    candidates, window = asked or ["TRUE"], LOOKED_THROUGH
    if "text" in given:
        asked = [*asked, _TEXT]
        candidates, window = ([_TEXT], RARE) if _is_rare(given) else (candidates, LOOKED_THROUGH_FOR_TEXT)
    given |= {"window": window, "limit": limit + 1}
    followed, last = _furthest(candidates, given)
    statement = _PAGE.format(candidates=_bounded(followed, given), all=_and(*asked, *_those(_TIMES, given)))
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        ids = [row[0] for row in cursor.fetchall()]
    events = list(AuditEvent.objects.filter(pk__in=ids).select_related("link").order_by("-pk"))
    if len(events) > limit:
        return Page(events=events[:limit], older=events[limit - 1].pk)
    return Page(events=events, older=last, looked_until=_time_of(last) if last else None)


def find_all(search: Search) -> Iterator[list[AuditEvent]]:
    """All of them, newest first, some at a time; nothing is held between two of these."""
    page = find(search, limit=AT_ONCE)
    while page.older:
        yield page.events
        page = find(search, before=page.older, limit=AT_ONCE)
    yield page.events


def _given(search: Search, before: UUID | None) -> dict[str, Any]:
    words = re.findall(r"[^\W_]+", search.text)
    given = {
        **{name: getattr(search, name) for name in ("actor", "action", "release_id", "request_id")},
        **{"since": search.since, "until": search.until, "before": before},
        "text": " & ".join(f"{word}:*" for word in words),
        "first_id": _id_at(search.since - SLACK) if search.since else None,
        "last_id": _id_at(search.until + SLACK) if search.until else None,
    }
    wanted = {name: value for name, value in given.items() if value}
    return wanted | ({} if search.service_ids is None else {"service_ids": list(search.service_ids)})


def _is_rare(given: Mapping[str, Any]) -> bool:
    """Whether few events have the text. The index gives all that have it or none: so they are not counted where the
    database's statistics know a word as common."""
    found = f"SELECT FROM audit_auditevent WHERE {_TEXT}"
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {found}", given)
        [[[estimated]]] = cursor.fetchall()
        if estimated["Plan"]["Plan Rows"] > RARE:
            return False
        cursor.execute(f"SELECT count(*) FROM ({found} LIMIT {RARE + 1}) AS found", given)  # noqa: S608 - likewise
        [(count,)] = cursor.fetchall()
    return bool(count <= RARE)


def _furthest(candidates: Sequence[str], given: Mapping[str, Any]) -> tuple[str, UUID | None]:
    """Which condition's events reach furthest back, and the last of those that are looked through.

    None where these are all.
    """
    reached: list[tuple[UUID, str]] = []
    with connection.cursor() as cursor:
        for condition in candidates:
            cursor.execute(
                f"SELECT id FROM audit_auditevent WHERE {_bounded(condition, given)} "  # noqa: S608 - likewise
                "ORDER BY id DESC OFFSET %(window)s - 1 LIMIT 1",
                given,
            )
            row = cursor.fetchone()
            if row is None:
                return condition, None
            reached.append((row[0], condition))
    last, condition = min(reached)
    return condition, last


def _bounded(condition: str, given: Mapping[str, Any]) -> str:
    return _and(condition, *_those(_BOUNDS, given))


def _those(conditions: Mapping[str, str], given: Mapping[str, Any]) -> list[str]:
    return [condition for name, condition in conditions.items() if name in given]


def _and(*conditions: str) -> str:
    return " AND ".join(conditions) or "TRUE"


def _id_at(moment: datetime) -> UUID:
    """The first id of a moment: UUIDs of version 7 begin with the milliseconds since 1970."""
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)


def _time_of(identifier: UUID) -> datetime:
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)
