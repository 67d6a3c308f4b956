"""The environment variables in a plan's changes, one by one and by name, instead of the provider's blocks."""

from collections.abc import Mapping
from typing import Any

from releases.domain.plans.function_views import FUNCTION
from releases.domain.versions.environment import differing_names

_BLOCK = "environment"
_VARIABLES = "environment[0].variables"

Attribute = Mapping[str, Any]


def by_name(resource_type: str, attribute: Attribute) -> list[Attribute]:
    """A changed attribute as it is, or a change of variables as one row for each."""
    path = attribute["path"]
    if resource_type != FUNCTION or path.partition("[")[0] != _BLOCK:
        return [attribute]
    if path in {_BLOCK, _VARIABLES}:
        return _rows(attribute)
    name = path.removeprefix(f"{_VARIABLES}.")
    return [{**attribute, "path": f"{_BLOCK} {name}"}]


def _rows(attribute: Attribute) -> list[Attribute]:
    old, new = _variables(attribute["before"]), _variables(attribute["after"])
    return [
        {**attribute, "path": f"{_BLOCK} {name}", "before": old.get(name), "after": new.get(name)}
        for name in differing_names(old, new)
    ]


def _variables(value: object) -> Mapping[str, Any]:
    """Of the blocks, or of the mapping itself."""
    if isinstance(value, list):
        return _variables(value[0].get("variables")) if value else {}
    return value if isinstance(value, Mapping) else {}
