"""A resource of a plan as the guard compares it: attribute by attribute, rules by what they mean.

Terraform shows a changed weight as one target group removed and one added, since `target_group` is a set;
here a rule's `action` and `condition` become `weights`, `stickiness`, `source addresses` and `headers`, and what is
left of them. A function's configuration becomes plain values (`function_views`).
"""

import json
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from releases.domain.plans.function_views import FUNCTION, function_attributes, unknown_function_names
from releases.domain.plans.plan_blocks import blocks

RULE = "aws_lb_listener_rule"
WEIGHTS = "weights"
STICKINESS = "stickiness"
SOURCE_ADDRESSES = "source addresses"
HEADERS = "headers"

Attributes = dict[str, Any]


class Missing(Enum):
    """What stands for a value that isn't there."""

    ABSENT = "nothing"
    UNKNOWN = "what is known only after the apply"


def same(one: object, other: object) -> bool:
    """Whether two values of a plan are equal as JSON: for Python alone, `true` and 1 would be."""
    if isinstance(one, Missing) or isinstance(other, Missing):
        return one is other
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def attributes(resource_type: str, values: Mapping[str, Any] | None) -> Attributes:
    """The attributes of a resource before or after; none for a resource that isn't there.

    Raises UnknownShape if a rule's actions or conditions, or a function's blocks, aren't built as expected.
    """
    view = dict(values or {})
    if resource_type == FUNCTION and view:
        return function_attributes(view)
    if resource_type == RULE and view:
        actions, conditions = blocks(view.get("action")), blocks(view.get("condition"))
        view[WEIGHTS] = _weights(actions)
        view[STICKINESS] = stickiness(actions)
        view["action"] = [_without_groups(action) for action in actions]
        view[SOURCE_ADDRESSES] = condition_values(conditions, "source_ip")
        view[HEADERS] = headers(conditions)
        view["condition"] = _without_canary(conditions)
    return view


def attributes_after(
    resource_type: str, values: Mapping[str, Any] | None, after_unknown: object
) -> Attributes:
    """The attributes after the apply, with UNKNOWN where a part of the value is known only then."""
    view = attributes(resource_type, values)
    return view | dict.fromkeys(_unknown_names(resource_type, after_unknown), Missing.UNKNOWN)


def condition_values(conditions: object, kind: str) -> list[list[str]]:
    """The values of a rule's conditions of one kind, each condition's sorted: a rule needs every condition."""
    found = [block for condition in blocks(conditions) for block in blocks(condition.get(kind))]
    return sorted(sorted(map(str, block.get("values") or ())) for block in found)


def headers(conditions: object) -> list[list[Any]]:
    """The headers that a rule asks for: [name, values sorted]; each of them is needed."""
    found = [block for condition in blocks(conditions) for block in blocks(condition.get("http_header"))]
    return sorted([str(block.get("http_header_name")), sorted(block.get("values") or ())] for block in found)


def stickiness(actions: object) -> list[int]:
    """For how many seconds each of a rule's forwards keeps a client on the group that it came to first, if it does.

    The duration of one that is switched off means nothing: AWS leaves it out, a configuration has to say one.
    """
    forwards = [forward for action in blocks(actions) for forward in blocks(action.get("forward"))]
    found = [block for forward in forwards for block in blocks(forward.get("stickiness"))]
    return [block["duration"] for block in found if block.get("enabled")]


def marked_paths(marks: object, path: str = "") -> Iterator[str]:
    """Where a plan's `after_unknown` or `…_sensitive` says true, dotted and without indices: "action.order"."""
    if marks is True:
        yield path
    elif isinstance(marks, Mapping):
        for name, inner in marks.items():
            yield from marked_paths(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(marks, list):
        for inner in marks:
            yield from marked_paths(inner, path)


def marked_names(marks: object) -> set[str]:
    """The top-level attributes in which something is marked."""
    return {path.partition(".")[0] for path in marked_paths(marks)}


def _unknown_names(resource_type: str, after_unknown: object) -> set[str]:
    if resource_type == FUNCTION:
        return unknown_function_names(set(marked_paths(after_unknown)))
    names = marked_names(after_unknown)
    if resource_type == RULE:
        # Where an action stands among those of its rule AWS decides; a rule of ours has one.
        of_action = {path for path in marked_paths(after_unknown) if path.partition(".")[0] == "action"}
        names |= {WEIGHTS, STICKINESS} if of_action - {"action.order"} else set()
        names |= {SOURCE_ADDRESSES, HEADERS} if "condition" in names else set()
    return names


def _weights(actions: list[Mapping[str, Any]]) -> list[list[object]]:
    groups = [
        [group.get("arn"), group.get("weight")]
        for action in actions
        for forward in blocks(action.get("forward"))
        for group in blocks(forward.get("target_group"))
    ]
    return sorted(groups, key=json.dumps)


def _without_groups(action: Mapping[str, Any]) -> dict[str, Any]:
    forwards = [
        {name: value for name, value in forward.items() if name not in {"target_group", "stickiness"}}
        for forward in blocks(action.get("forward"))
    ]
    return {**action, "forward": forwards}


def _without_canary(conditions: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    rest = [
        {kind: value for kind, value in condition.items() if kind not in {"source_ip", "http_header"}}
        for condition in conditions
    ]
    return sorted((condition for condition in rest if any(condition.values())), key=json.dumps)
