"""In what a plan differs from another one of the same step, attribute by attribute, for whoever saw the other one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

UNCHANGED = "not changed"
_HIDDEN = "changed (hidden)"


@dataclass(frozen=True, kw_only=True)
class PlanDifference:
    """What a plan does to one attribute, and what the other one did; `path` is empty for the resource as a whole."""

    address: str
    path: str
    seen: str
    present: str


def differences(
    seen: Sequence[Mapping[str, Any]], present: Sequence[Mapping[str, Any]]
) -> tuple[PlanDifference, ...]:
    """Both are changes as runs keep them, secret values hidden; where only such a value differs nothing is found."""
    before, after = dict(_told(seen)), dict(_told(present))
    return tuple(
        PlanDifference(
            address=address,
            path=path,
            seen=before.get((address, path), UNCHANGED),
            present=after.get((address, path), UNCHANGED),
        )
        for address, path in sorted({*before, *after})
        if before.get((address, path)) != after.get((address, path))
    )


def _told(changes: Sequence[Mapping[str, Any]]) -> Iterator[tuple[tuple[str, str], str]]:
    for change in changes:
        yield (change["address"], ""), ", ".join(change["actions"])
        for attribute in change["attributes"]:
            yield (change["address"], attribute["path"]), _attribute(attribute)


def _attribute(attribute: Mapping[str, Any]) -> str:
    if attribute["sensitive"]:
        return _HIDDEN
    after = "known after the apply" if attribute["unknown"] else attribute["after"]
    return f"{attribute['before']} → {after}"
