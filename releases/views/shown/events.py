"""The trail in sentences."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from audit.models import AuditEvent
from releases.domain.traffic import Transition

_WHAT = {
    "service.created": "created the service",
    "service.rights-given": "gave people their rights on the service",
    "service.defaults-changed": "changed what releases begin with",
    "service.removed": "noted that the service is removed",
    "service.renamed": "gave the service's name to another one",
    "settings.requested": "asked for other settings",
    "removal.requested": "asked for the removal",
    "step.cancelled": "called it off",
    "step.replaced": "asked for something else in its place",
    "service.state-accepted": "said that the stored state is the right one",
    "service.state-pushed": "pushed the state that a run could not write",
    "service.lock-removed": "removed the lock that a dead run had left on the state",
    "service.clock-moved": "noticed that the database's clock was moved",
    "service.plan-kept": "made the plan of the request the usual one",
    "release.requested": "requested the release",
    "release.promoted": "finished the release: promoted",
    "release.paused": "paused the release",
    "release.resumed": "resumed the release",
    "release.share-set": "set the share of the new version",
    "release.tag-moved": "noticed that the tag leads to another image now, or again to the release's",
    "release.rejected": "ended the release: rejected",
    "release.cancelled": "cancelled the release",
    "release.rolled-back": "ended the release: rolled back",
    "service.preparing": "began to prepare the next release",
    "plan.approved": "approved the plan",
    "plan.rejected": "rejected the plan",
    "step.started": "started the step",
    "step.planning": "began to plan",
    "step.planned": "made the plan",
    "step.planned-again": "began to plan again",
    "step.publishing": "published what an interrupted update had left",
    "step.applying": "queued the apply",
    "step.apply-started": "began the apply",
    "step.verified": "applied and verified",
    "step.done": "finished the step",
    "step.failed": "stopped: the step failed",
    "step.rejected": "stopped: the step was rejected",
    "step.retried": "began to plan the step once more",
    "step.skipped": "skipped the step",
    "step.bake-skipped": "ended the bake time",
    "step.put-off": "put the step off",
    "step.asks-again": "made the step ask again",
    "step.abandoned": "ended the step",
    "rollback.pressed": "pressed the emergency button",
    "rollback.joined": "pressed the emergency button too",
    "rollback.traffic-back": "brought all traffic back",
    "rollback.traffic-set-again": "set the traffic again after an apply",
    "rollback.rehearsed": "rehearsed the emergency button",
    "rollback.plan-rehearsed": "planned for the rehearsal what would follow the button",
    "rollback.reason-given": "said why it was rolled back",
    "rollback.failed": "could not bring the traffic back",
    "rollback.told-late": "pressed the emergency button, which is told only now: a release had gone on since",
}
ACTIONS = tuple(_WHAT)
_TONES = {
    "failed": "bad",
    "rejected": "bad",
    "pressed": "warn",
    "paused": "warn",
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


def what(action: str) -> str:
    """An action in words; one without words is shown as it is."""
    return _WHAT.get(action, action)


def _shown(event: AuditEvent) -> EventShown:
    return EventShown(
        id=str(event.pk),
        at=event.at,
        who=event.actor_name,
        what=what(event.action),
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
