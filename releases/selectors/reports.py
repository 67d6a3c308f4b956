"""Reads for the report over a period, all from the trail: one query each, however many events there are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, Q

from audit.models import AuditEvent
from releases.domain.reports.period_report import Period, ReleaseTimes

# The releases to which anything happened in the period, each with all that ever happened to it.
_RELEASES = """
WITH told AS (
    SELECT at, action, subject->>'release' AS release, subject->>'transition' AS transition
    FROM audit_auditevent
    WHERE service_id = ANY(%(services)s) AND action = ANY(%(actions)s) AND at < %(ends)s
)
SELECT
    min(at) FILTER (WHERE action = 'release.requested'),
    min(at) FILTER (WHERE action = 'step.verified' AND transition IN ('shift', 'promote')),
    min(at) FILTER (WHERE action = 'step.verified' AND transition = 'promote'),
    min(at) FILTER (WHERE action = 'rollback.pressed'),
    min(at) FILTER (WHERE action = 'rollback.traffic-back'),
    min(at) FILTER (WHERE action = 'release.rejected'),
    min(at) FILTER (WHERE action = 'release.cancelled')
FROM told
WHERE release <> ''
GROUP BY release
HAVING max(at) >= %(begins)s
"""
_RELEASE_ACTIONS = [
    "release.requested",
    "step.verified",
    "rollback.pressed",
    "rollback.traffic-back",
    "release.rejected",
    "release.cancelled",
]
# From a step's first plan to its last approval, and from when a request was first asked to its last one.
_WAITS = """
SELECT extract(epoch FROM max(at) FILTER (WHERE action = 'plan.approved')
    - min(at) FILTER (WHERE action = 'step.planned'))::float
FROM audit_auditevent
WHERE service_id = ANY(%(services)s) AND action IN ('plan.approved', 'step.planned') AND at < %(ends)s
GROUP BY subject->>'step'
HAVING max(at) FILTER (WHERE action = 'plan.approved') >= %(begins)s
UNION ALL
SELECT extract(epoch FROM max(at) - min((after->>'asked_at')::timestamptz))::float
FROM audit_auditevent
WHERE service_id = ANY(%(services)s) AND action = 'request.approved' AND at < %(ends)s
GROUP BY subject->>'release', after->>'request_digest'
HAVING max(at) >= %(begins)s
"""
_ROLLBACKS = """
SELECT
    min(service_id),
    min(at) FILTER (WHERE action = 'rollback.pressed'),
    min(actor_name) FILTER (WHERE action = 'rollback.pressed'),
    min(at) FILTER (WHERE action = 'rollback.traffic-back'),
    coalesce((array_agg(reason ORDER BY id DESC) FILTER (WHERE action = 'rollback.reason-given'))[1], '')
FROM audit_auditevent
WHERE service_id = ANY(%(services)s) AND at >= %(begins)s
    AND action IN ('rollback.pressed', 'rollback.traffic-back', 'rollback.reason-given')
GROUP BY subject->>'rollback'
HAVING min(at) FILTER (WHERE action = 'rollback.pressed') < %(ends)s
ORDER BY 2 DESC
LIMIT %(limit)s
"""
_GLASSES = """
SELECT
    min(service_id),
    min(at) FILTER (WHERE action = 'gate.glass-broken'),
    min(actor_name) FILTER (WHERE action = 'gate.glass-broken'),
    min(reason) FILTER (WHERE action = 'gate.glass-broken'),
    coalesce(min(actor_name) FILTER (WHERE action = 'gate.break-reviewed'), ''),
    min(at) FILTER (WHERE action = 'gate.break-reviewed'),
    coalesce(min(reason) FILTER (WHERE action = 'gate.break-reviewed'), '')
FROM audit_auditevent
WHERE service_id = ANY(%(services)s) AND at >= %(begins)s
    AND action IN ('gate.glass-broken', 'gate.break-reviewed')
GROUP BY after->>'glass'
HAVING min(at) FILTER (WHERE action = 'gate.glass-broken') < %(ends)s
ORDER BY 2 DESC
LIMIT %(limit)s
"""
# How often each person did this: by the name of the count.
_COUNTED = {
    "approved": ["plan.approved", "request.approved"],
    "rejected": ["plan.rejected", "request.rejected"],
    "withdrawn": ["plan.approval-withdrawn", "request.approval-withdrawn"],
    "broke": ["gate.glass-broken"],
    "reviewed": ["gate.break-reviewed"],
    "refused": ["access.refused"],
}


class Rollback(NamedTuple):
    """A press of the emergency button, with the reason that was given last."""

    service: str
    pressed_at: datetime
    pressed_by: str
    back_at: datetime | None
    reason: str


class Broken(NamedTuple):
    """A gate that was opened without those whom it asks for; ``reviewed_by`` is empty until somebody has looked.

    ``review`` is what they found.
    """

    service: str
    at: datetime
    by: str
    reason: str
    reviewed_by: str
    reviewed_at: datetime | None
    review: str


class Decided(NamedTuple):
    """What a person has done at gates, in numbers, and how often they were refused something."""

    name: str
    approved: int
    rejected: int
    withdrawn: int
    broke: int
    reviewed: int
    refused: int


def release_times(service_ids: Sequence[str], period: Period) -> list[ReleaseTimes]:
    """The times of the releases to which anything happened in the period or since its beginning."""
    rows = _rows(_RELEASES, service_ids, period, actions=_RELEASE_ACTIONS)
    return [ReleaseTimes(**dict(zip(ReleaseTimes.__dataclass_fields__, row, strict=True))) for row in rows]


def approval_waits(service_ids: Sequence[str], period: Period) -> list[float]:
    """How long each plan and request that was approved last in the period had waited for that, in seconds."""
    return [seconds for (seconds,) in _rows(_WAITS, service_ids, period) if seconds is not None]


def rollbacks(service_ids: Sequence[str], period: Period, *, limit: int) -> list[Rollback]:
    """The emergency rollbacks that were pressed in the period, the newest first."""
    return [Rollback(*row) for row in _rows(_ROLLBACKS, service_ids, period, limit=limit)]


def broken_glasses(service_ids: Sequence[str], period: Period, *, limit: int) -> list[Broken]:
    """The gates that were opened in the period without those whom they ask for, the newest first."""
    return [Broken(*row) for row in _rows(_GLASSES, service_ids, period, limit=limit)]


def decisions(service_ids: Sequence[str], period: Period) -> list[Decided]:
    """What each person has done at gates and was refused in the period, by name."""
    events = AuditEvent.objects.filter(
        service_id__in=service_ids,
        action__in=[action for actions in _COUNTED.values() for action in actions],
        at__gte=period.begins,
        at__lt=period.ends,
    )
    counts = {name: Count("pk", filter=Q(action__in=actions)) for name, actions in _COUNTED.items()}
    by_name = events.order_by().values("actor_name").annotate(**counts).order_by("actor_name")
    return [Decided(*row) for row in by_name.values_list("actor_name", *counts)]


def _rows(sql: str, service_ids: Sequence[str], period: Period, **more: object) -> list[tuple[Any, ...]]:
    given: dict[str, Any] = {
        "services": list(service_ids),
        "begins": period.begins,
        "ends": period.ends,
        **more,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
