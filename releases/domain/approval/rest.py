"""Whether a plan is the rest of another one, a part of which is done already: it has the same end (invariant 4).

A run that was killed in the middle of its apply leaves such a rest. What was approved covers it.
"""

from collections.abc import Mapping
from typing import Any

from releases.domain.plans.plan_views import same
from terraform_runner.domain.plan import NOISE, Plan, ResourceChange


def is_rest(plan: Plan, *, of: Plan) -> bool:
    """Whether each of the plan's changes is one of the other's, with the same end, and what it leaves is at that end.

    Attribute by attribute; one that was known only after the apply may have become known. Both are plans as they are
    kept, with secrets masked.
    """
    approved = {_key(change): change for change in of.changes}
    there = {_key(change): change for change in plan.resource_changes}
    changing = {_key(change) for change in plan.changes}
    if changing - approved.keys() or approved.keys() - there.keys():
        return False
    return all(_ends_alike(there[key], change, key in changing) for key, change in approved.items())


def _key(change: ResourceChange) -> tuple[str, str | None]:
    return change.address, change.deposed


def _ends_alike(change: ResourceChange, approved: ResourceChange, changes: bool) -> bool:
    """One resource: what of it still changes was to change, and it ends as it was to end."""
    if changes and not _does_alike(change, approved):
        return False
    names = _names(change) | _names(approved)
    return all(
        _attribute_ends_alike(name, change, approved) for name in names - NOISE.get(change.type, set())
    )


def _does_alike(change: ResourceChange, approved: ResourceChange) -> bool:
    return (
        (change.actions, change.importing, change.previous_address, change.replace_paths)
        == (approved.actions, approved.importing, approved.previous_address, approved.replace_paths)
    ) and same(change.after_sensitive, approved.after_sensitive)


def _attribute_ends_alike(name: str, change: ResourceChange, approved: ResourceChange) -> bool:
    before, after = _value(change.before, name), _value(change.after, name)
    was_before, was_after = _value(approved.before, name), _value(approved.after, name)
    is_unknown, was_unknown = _mark(change, name), _mark(approved, name)
    if was_unknown is not False:
        return same(is_unknown, was_unknown) or is_unknown is False
    ends = is_unknown is False and same(after, was_after)
    return ends and (same(before, after) or not same(was_before, was_after))


def _names(change: ResourceChange) -> set[str]:
    unknown = change.after_unknown if isinstance(change.after_unknown, Mapping) else {}
    return {*(change.before or {}), *(change.after or {}), *unknown}


def _value(values: Mapping[str, Any] | None, name: str) -> object:
    return (values or {}).get(name)


def _mark(change: ResourceChange, name: str) -> object:
    """What of an attribute is unknown: False, True, or the value's shape with True where it applies."""
    marks = change.after_unknown
    found = marks.get(name, False) if isinstance(marks, Mapping) else marks
    return found if _has_true(found) else False


def _has_true(marks: object) -> bool:
    if isinstance(marks, Mapping):
        return any(map(_has_true, marks.values()))
    return any(map(_has_true, marks)) if isinstance(marks, list) else marks is True
