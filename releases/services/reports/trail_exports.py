"""Taking what was found in the trail out of the application; that it was done is an event itself."""

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum

from django.contrib.auth.models import User
from django.db import transaction

from audit import events
from audit.canonical import moment
from audit.models import AuditEvent
from audit.search import Search, find_all
from audit.spreadsheets import csv_lines
from audit.stored import export_line
from releases.services.lifecycle import person

HEADER = (
    *("number", "at", "actor", "via", "action", "service", "reason", "subject", "before", "after", "context"),
    *("id", "digest", "hash"),
)


class Form(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    JSON_LINES = "jsonl"


@transaction.atomic
def note_export(asked: Mapping[str, str], form: Form, user: User) -> None:
    """Somebody takes with them what this search finds."""
    events.record(
        actor=person(user), action="audit.exported", after={"search": dict(asked), "form": form.value}
    )


def parts(search: Search, form: Form, names: Mapping[str, str]) -> Iterator[str]:
    """The events, newest first, as text, many at a time; ``names`` are the services' by their ids."""
    if form is Form.CSV:
        yield "".join(csv_lines([HEADER]))
    for some in find_all(search):
        lines = (
            csv_lines(_row(event, names) for event in some) if form is Form.CSV else map(export_line, some)
        )
        yield "".join(lines)


def _row(event: AuditEvent, names: Mapping[str, str]) -> list[object]:
    link = getattr(event, "link", None)  # none if it was put in past the chain
    documents = (event.subject, event.before, event.after, event.context)
    return [
        *(link and link.number, moment(event.at), event.actor_name, event.via, event.action),
        *(names.get(event.service_id, event.service_id), event.reason),
        *(json.dumps(document, ensure_ascii=False) if document else "" for document in documents),
        *(event.pk, event.digest, link and link.hash),
    ]
