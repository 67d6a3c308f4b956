"""Which attributes a change changes: what people read of a plan."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from terraform_runner.domain.plan import Plan, ResourceChange


@dataclass(frozen=True, kw_only=True)
class AttributeChange:
    """One attribute, e.g. at ``action[0].forward[0].target_group[1].weight``.

    ``after`` is None where the value is ``unknown`` until the apply.
    """

    path: str
    before: Any
    after: Any
    unknown: bool
    sensitive: bool


def changed_attributes(change: ResourceChange) -> tuple[AttributeChange, ...]:
    """What differs between before and after, leaf by leaf, in the order of the attributes' names."""
    marks = (change.after_unknown, change.before_sensitive, change.after_sensitive)
    return tuple(_differences("", change.before, change.after, marks))


def summarize(plan: Plan) -> list[dict[str, Any]]:
    """The plan's changes for pages and the database: JSON-able, without what stays as it is."""
    return [
        {
            "address": change.address,
            "type": change.type,
            "name": change.name,
            "actions": list(change.actions),
            "action_reason": change.action_reason,
            "importing": change.importing,
            "attributes": [asdict(attribute) for attribute in changed_attributes(change)],
        }
        for change in plan.changes
    ]


# For one place in a value: unknown after, sensitive before, sensitive after.
_Marks = tuple[object, object, object]


def _differences(path: str, before: object, after: object, marks: _Marks) -> Iterator[AttributeChange]:
    keys = _keys(path, before, after, marks[0])
    if keys is not None:
        for key in keys:
            below = (_item(marks[0], key), _item(marks[1], key), _item(marks[2], key))
            yield from _differences(_join(path, key), _item(before, key), _item(after, key), below)
    elif _has_true(marks[0]) or not _same(before, after):
        yield AttributeChange(
            path=path,
            before=before,
            after=None if marks[0] is True else after,
            unknown=_has_true(marks[0]),
            sensitive=_has_true(marks[1]) or _has_true(marks[2]),
        )


def _keys(path: str, before: object, after: object, unknown: object) -> list[str] | list[int] | None:
    """The names or numbers by which to compare the two part by part; None if they are compared as a whole."""
    at_the_top = path == ""
    match before, after:
        case (Mapping(), Mapping()):
            return sorted({*before, *after, *(unknown if isinstance(unknown, Mapping) else ())})
        case (Mapping() as only, None) | (None, Mapping() as only) if at_the_top:
            return sorted({*only, *(unknown if isinstance(unknown, Mapping) else ())})
        case (list(), list()) if len(before) == len(after):
            return list(range(len(before)))
        case _:
            return None


def _item(value: object, key: str | int) -> object:
    match value:
        case Mapping():
            return value.get(key)
        case list():
            return value[key] if isinstance(key, int) and key < len(value) else None
        case _:
            return value if value is True else None


def _join(path: str, key: str | int) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    if not key.replace("-", "_").isidentifier():
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def _has_true(mark: object) -> bool:
    match mark:
        case Mapping():
            return any(map(_has_true, mark.values()))
        case list():
            return any(map(_has_true, mark))
        case _:
            return mark is True


def _same(before: object, after: object) -> bool:
    # True == 1 in Python, and not in JSON.
    return before == after and isinstance(before, bool) == isinstance(after, bool)
