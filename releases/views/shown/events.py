"""The trail in sentences."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from audit.actions import ACTIONS
from audit.models import AuditEvent
from releases.domain.traffic import Transition
from releases.domain.visible import visible

_TONES = {
    "failed": "bad",
    "rejected": "bad",
    "pressed": "warn",
    "paused": "warn",
    "waited-too-long": "warn",
    "approval-withdrawn": "warn",
    "cancelled": "warn",
    "share-set": "warn",
    "approved": "ok",
    "promoted": "ok",
    "traffic-back": "ok",
}


@dataclass(frozen=True, kw_only=True)
class EventShown:
    """One event: when, who, what, on which step, why."""

    id: str
    at: datetime
    who: str
    what: str
    where: str
    service: str
    release: int | None
    request: str
    why: str
    digest: str
    tone: str


def events_shown(
    events: Iterable[AuditEvent],
    *,
    services: Mapping[str, str] = MappingProxyType({}),
    numbers: Mapping[str, int] = MappingProxyType({}),
) -> list[EventShown]:
    """Events in words, in the given order; the names of services and the numbers of releases are by their ids."""
    return [_shown(event, services, numbers) for event in events]


def record_of(event: AuditEvent) -> list[tuple[str, str]]:
    """All that stands in an event, with its place in the chain; without what is empty, and with each sign visible."""
    link = getattr(event, "link", None)  # none if it was put in past the chain
    documents = {name: getattr(event, name) for name in ("subject", "before", "after", "context")}
    fields = {
        "number": link and link.number,
        **{
            name: getattr(event, name)
            for name in ("id", "action", "actor_id", "actor_name", "via", "service_id")
        },
        **{
            name: json.dumps(found, indent=2, ensure_ascii=False)
            for name, found in documents.items()
            if found
        },
        **{"reason": event.reason, "digest": event.digest, "hash": link and link.hash},
    }
    return [(name, visible(str(value))) for name, value in fields.items() if value]


def _shown(event: AuditEvent, services: Mapping[str, str], numbers: Mapping[str, int]) -> EventShown:
    release = numbers.get(str(event.subject.get("release")))
    return EventShown(
        id=str(event.pk),
        at=event.at,
        who=visible(event.actor_name),
        what=ACTIONS.get(event.action, event.action),
        where=visible(_where(event)).removeprefix(f"R-{release}").removeprefix(", "),
        service=services.get(event.service_id, ""),
        release=release,
        request=event.context.get("request_id", ""),
        why=visible(event.reason),
        digest=str(event.after.get("plan_sha256", ""))[:4],
        tone=_TONES.get(event.action.rpartition(".")[2], "idle"),
    )


def _where(event: AuditEvent) -> str:
    if "role" in event.subject:
        return f"{event.subject['role']}: {event.subject.get('person') or event.subject.get('group')}"
    if "number" in event.subject:
        share = event.after.get("share")
        return f"R-{event.subject['number']}" + (f", {share} %" if share is not None else "")
    transition = str(event.subject.get("transition", ""))
    if transition == Transition.SHIFT:
        return f"shift to {event.subject.get('share')} %"
    return transition.replace("_", " ")
