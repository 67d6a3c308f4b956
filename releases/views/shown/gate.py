"""A gate on a page: who has approved, who is missing and could, and why others cannot."""

from dataclasses import dataclass
from datetime import datetime

from releases.domain.access.decisions import Person, Refused
from releases.domain.approval.approval_policy import PlanIdentity
from releases.domain.approval.gate_standing import check_place
from releases.services.approval.gate import Gate, Given

_CANNOT = {
    "approval:own-release": "own request",
    "approval:changed-it": "changed it last",
    "approval:other-gate": "approved at another gate",
    "approval:service-account": "a service account",
    "approval:no-place": "in none of the groups and roles",
}
"""Why somebody's approval would fill no place, about somebody else."""


@dataclass(frozen=True, kw_only=True)
class GivenShown:
    """One approval at this gate; ``why_not`` is empty where it counts."""

    name: str
    comment: str
    at: datetime
    saw: str
    why_not: str
    good_until: datetime | None


@dataclass(frozen=True, kw_only=True)
class GateShown:
    """``count`` is "1 of 2"; ``could`` are those who could fill a place that is left, ``cannot`` the others.

    ``what`` is decided on, as "plan 9ab3"; the form carries its ``identity``.
    """

    of_request: bool
    what: str
    identity: PlanIdentity | None

    count: str
    words: str
    is_open: bool
    given: tuple[GivenShown, ...]
    could: tuple[str, ...]
    cannot: tuple[tuple[str, str], ...]


def gate_of(gate: Gate) -> GateShown:
    """A gate that is needed, as it is now."""
    stands = gate.standing
    could = {account.username for account in gate.could}
    counted = {person.id for person in gate.counted}
    others = [
        (account.username, _why_not(gate, person))
        for account, person in gate.approvers.items()
        if account.username not in could and person.id not in counted
    ]
    return GateShown(
        of_request=gate.of_request,
        what=f"{'request' if gate.of_request else 'plan'} {gate.identity.sha256[:4] if gate.identity else ''}",
        identity=gate.identity,
        count=f"{len(stands.filled)} of {len(stands.slots)}",
        words=gate.words,
        is_open=stands.is_open,
        given=tuple(map(_given, reversed(gate.given))),
        could=tuple(sorted(could)),
        cannot=tuple((name, why) for name, why in others if why),
    )


def _given(one: Given) -> GivenShown:
    return GivenShown(
        name=one.approval.decided_by.username,
        comment=one.approval.comment,
        at=one.approval.decided_at,
        saw=one.approval.plan_sha256[:4],
        why_not=one.answer.reason if isinstance(one.answer, Refused) else "",
        good_until=one.good_until,
    )


def _why_not(gate: Gate, person: Person) -> str:
    answer = gate.who_counts.check(person)
    if answer and not gate.standing.is_open:
        answer = check_place(person, gate.slots, gate.counted)
    return _CANNOT[answer.code] if isinstance(answer, Refused) else ""
