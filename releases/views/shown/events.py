"""The trail in sentences."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from audit.actions import ACTIONS
from audit.models import AuditEvent
from releases.domain.traffic import Transition

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
    why: str
    digest: str
    tone: str


def events_shown(events: Iterable[AuditEvent]) -> list[EventShown]:
    """Events in words, in the given order."""
    return [_shown(event) for event in events]


def _shown(event: AuditEvent) -> EventShown:
    return EventShown(
        id=str(event.pk),
        at=event.at,
        who=event.actor_name,
        what=ACTIONS.get(event.action, event.action),
        where=_where(event),
        why=event.reason,
        digest=str(event.after.get("plan_sha256", ""))[:4],
        tone=_TONES.get(event.action.rpartition(".")[2], "idle"),
    )


def _where(event: AuditEvent) -> str:
    if "number" in event.subject:
        share = event.after.get("share")
        return f"R-{event.subject['number']}" + (f", {share} %" if share is not None else "")
    transition = str(event.subject.get("transition", ""))
    if transition == Transition.SHIFT:
        return f"shift to {event.subject.get('share')} %"
    return transition.replace("_", " ")
