"""A step's plan as people read it: sentence, risk, counts, changes, variables; the digest last."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from releases.domain.plans.risk import Risk
from releases.domain.plans.variables import VariableLine, variable_lines
from releases.domain.visible import visible
from releases.models import Service, Step
from releases.services import states
from releases.services.approval import risks
from releases.services.approval.plan_sentences import sentence_of, tags_of_step
from releases.views.shown.plan_environment import by_name
from releases.views.shown.traffic import TrafficShown, traffic_in

# Longer values, and more resources, than any plan has that the guard lets through.
MOST_LETTERS = 10_000
MOST_CHANGES = 200
_ACTIONS = {("create",): "create", ("update",): "change", ("delete",): "delete", ("no-op",): "take over"}
_WORST_FIRST = ("delete", "replace", "create", "take over", "change")


@dataclass(frozen=True, kw_only=True)
class AttributeShown:
    """One changed attribute; values as text, hidden where they are secret."""

    path: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class ChangeShown:
    """One changed resource."""

    address: str
    action: str
    reason: str
    attributes: tuple[AttributeShown, ...]


@dataclass(frozen=True, kw_only=True)
class PlanShown:
    """Everything that a page says about a plan, what it destroys first; not ``is_complete`` where that is too much."""

    sentence: str
    risk: Risk
    counts: str
    changes: tuple[ChangeShown, ...]
    is_complete: bool
    lines: tuple[VariableLine, ...]
    before: TrafficShown
    after: TrafficShown
    sha256: str
    changes_digest: str

    @property
    def short(self) -> str:
        """What people call it by: the first four letters of its digest."""
        return self.sha256[:4]


def plan_of(service: Service, step: Step, risk: Risk | None = None) -> PlanShown | None:
    """The plan that a step has now, or had when it was applied; none while it has not been made.

    Two queries where its ``risk`` is not known yet.
    """
    run = step.plan_run
    if run is None or not run.plan_sha256 or not step.state_after:
        return None
    before, after = states.from_json(step.state_before), states.from_json(step.state_after)
    tags = tags_of_step(service, step)
    return PlanShown(
        sentence=sentence_of(service, step),
        risk=risk or risks.risk_of(step),
        counts=_counts(run.changes),
        changes=_worst_first(run.changes),
        is_complete=len(run.changes) <= MOST_CHANGES and not any(map(_has_long_values, run.changes)),
        lines=variable_lines(before, after, family=service.family),
        before=traffic_in(before, tags),
        after=traffic_in(after, tags),
        sha256=run.plan_sha256,
        changes_digest=run.changes_digest,
    )


def _worst_first(changes: Sequence[Mapping[str, Any]]) -> tuple[ChangeShown, ...]:
    in_order = sorted(changes, key=lambda change: _WORST_FIRST.index(_action(change)))
    return tuple(map(_change, in_order[:MOST_CHANGES]))


def _has_long_values(change: Mapping[str, Any]) -> bool:
    values = (attribute[side] for attribute in change["attributes"] for side in ("before", "after"))
    return any(len(str(value)) > MOST_LETTERS for value in values)


def _counts(changes: Sequence[Mapping[str, Any]]) -> str:
    counted = Counter(_action(change) for change in changes)
    parts = [f"{counted.get(word, 0)} to {word}" for word in ("create", "change", "replace", "delete")]
    taken_over = _taken_over(changes)
    return ", ".join([*parts, *([f"{taken_over} to take over"] if taken_over else [])])


def _taken_over(changes: Sequence[Mapping[str, Any]]) -> int:
    return sum(bool(change.get("importing")) for change in changes)


def _action(change: Mapping[str, Any]) -> str:
    return _ACTIONS.get(tuple(change["actions"]), "replace")


def _change(change: Mapping[str, Any]) -> ChangeShown:
    return ChangeShown(
        address=change["address"],
        action=_action(change),
        reason=_reason(change),
        attributes=tuple(
            _attribute(row)
            for attribute in change["attributes"]
            for row in by_name(change["type"], attribute)
        ),
    )


def _reason(change: Mapping[str, Any]) -> str:
    if change.get("importing"):
        return "it is there already, and is managed from now on"
    return (change.get("action_reason") or "").replace("_", " ")


def _attribute(attribute: Mapping[str, Any]) -> AttributeShown:
    after = "known after the apply" if attribute["unknown"] else _text(attribute["after"])
    hidden = attribute["sensitive"]
    return AttributeShown(
        path=visible(attribute["path"]),
        before="(hidden)" if hidden else _text(attribute["before"]),
        after="(hidden)" if hidden else after,
    )


def _text(value: object) -> str:
    text = "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return visible(text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}…")
