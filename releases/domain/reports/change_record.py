"""The change record of a release: what an auditor asks of a change, in the form that its page and its files share.

All times are aware. A text is cut visibly where it is longer than `MOST_LETTERS`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from releases.domain.reports.traffic_picture import TrafficMoment

MOST_LETTERS = 2000
MOST_EVENTS = 1000


@dataclass(frozen=True, kw_only=True)
class StepRecord:
    """One step: what its plan would do, under which digests, and what came of it.

    `state_serial_before` and `state_serial_after` are Terraform's, `plan_sha256` and `changes_digest` those of the plan
    that it has now, or was applied by; empty or None where there was none.
    """

    number: int
    title: str
    status: str
    needs_approval: bool
    summary: str
    risk: str
    resources: str
    plan_sha256: str
    changes_digest: str
    planned_at: datetime | None
    started_by: str
    started_at: datetime | None
    applied_from: datetime | None
    applied_until: datetime | None
    exit_code: int | None
    state_serial_before: int | None
    state_serial_after: int | None
    verified_at: datetime | None
    bake_seconds: int
    ended_at: datetime | None
    problem: str


@dataclass(frozen=True, kw_only=True)
class ApprovalRecord:
    """A decision at a gate, bound to what was seen; `compared` says how that fits with what the step has now.

    `asked_at` is since when that had waited for it. The request has no plan: its `plan_sha256` is empty, and the
    `changes_digest` its own.
    """

    step: str
    decision: str
    by: str
    role: str
    asked_at: datetime | None
    at: datetime
    comment: str
    plan_sha256: str
    changes_digest: str
    compared: str
    withdrawn_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class GlassRecord:
    """A gate that somebody opened without those whom it asks for; `review` is what somebody else found afterwards.

    The digests are as of a decision. `reviewed_by` and `review` are empty until somebody has looked.
    """

    step: str
    by: str
    at: datetime
    reason: str
    plan_sha256: str
    changes_digest: str
    reviewed_by: str
    reviewed_at: datetime | None
    review: str


@dataclass(frozen=True, kw_only=True)
class RollbackRecord:
    """A press of the emergency button that took the release's users back. `reason` was said afterwards."""

    pressed_by: str
    pressed_at: datetime
    back_to: str
    traffic_back_at: datetime | None
    terraform_agreed_at: datetime | None
    reason: str
    problem: str


@dataclass(frozen=True, kw_only=True)
class EventRecord:
    """An event of the trail. `number` and `hash` are its place in the chain; None and empty where it has none."""

    number: int | None
    at: datetime
    actor: str
    via: str
    action: str
    words: str
    reason: str
    digest: str
    hash: str


@dataclass(frozen=True, kw_only=True)
class ChangeRecord:
    """`tested`, `way_back` and `result` are sentences; `events_are_all` is whether no later event was left out."""

    service: str
    environment: str
    account_id: str
    region: str
    release: str
    release_id: str
    made_at: datetime
    title: str
    reason: str
    ticket: str
    ticket_address: str
    requested_by: str
    requested_at: datetime
    changed_by: str
    from_tag: str
    from_image: str
    tag: str
    image: str
    configuration_changes: Sequence[str]
    impact: str
    tested: str
    way_back: str
    status: str
    result: str
    ended_at: datetime | None
    traffic_in_words: str
    traffic: Sequence[TrafficMoment]
    approvals: Sequence[ApprovalRecord]
    broken_glasses: Sequence[GlassRecord]
    steps: Sequence[StepRecord]
    rollbacks: Sequence[RollbackRecord]
    events: Sequence[EventRecord]
    events_are_all: bool


def bounded(text: str) -> str:
    """A text that fits into a record, cut visibly where it does not."""
    if len(text) <= MOST_LETTERS:
        return text
    mark = f"… [cut from {len(text)} characters]"
    return text[: MOST_LETTERS - len(mark)] + mark
