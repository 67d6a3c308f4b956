"""Terraform's saved plan as ``terraform show -json`` describes it, typed.

The format: https://developer.hashicorp.com/terraform/internals/json-format. Minor versions add keys, so
everything that is not known here is named in ``Plan.unexpected``, for the reader to decide.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785

from terraform_runner.errors import TerraformFailed

SUPPORTED_MAJOR = "1"
WITHOUT_EFFECT = frozenset({("no-op",), ("read",)})

KNOWN_KEYS = frozenset(
    {
        "format_version", "terraform_version", "variables", "planned_values", "resource_drift",
        "resource_changes", "output_changes", "prior_state", "configuration", "relevant_attributes", "checks",
        "timestamp", "applyable", "complete", "errored", "deferred_changes",
    }
)  # fmt: skip
KNOWN_RESOURCE_KEYS = frozenset(
    {
        "address", "previous_address", "module_address", "mode", "type", "name", "index", "provider_name",
        "deposed", "change", "action_reason",
    }
)  # fmt: skip
KNOWN_CHANGE_KEYS = frozenset(
    {
        "actions", "before", "after", "after_unknown", "before_sensitive", "after_sensitive",
        "replace_paths", "importing", "generated_config", "before_identity", "after_identity",
    }
)  # fmt: skip

# Attributes that hold the moment of the last change: a plan made again has another one, and the same effect.
NOISE: Mapping[str, frozenset[str]] = {"aws_lambda_function": frozenset({"last_modified"})}


@dataclass(frozen=True, kw_only=True)
class ResourceChange:
    """What a plan does with one resource. ``before`` is absent for a create, ``after`` for a delete.

    ``after_unknown``, ``before_sensitive`` and ``after_sensitive`` have the value's shape, with ``true``
    where it applies. ``replace_paths`` are the attributes that force a replacement. ``importing`` is the id by which a
    resource is taken over that is there already.
    """

    address: str
    type: str
    name: str
    module_address: str
    mode: str
    provider_name: str
    actions: tuple[str, ...]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    after_unknown: Any
    before_sensitive: Any
    after_sensitive: Any
    replace_paths: tuple[Any, ...]
    action_reason: str | None
    importing: str | None
    previous_address: str | None
    deposed: str | None


@dataclass(frozen=True, kw_only=True)
class Check:
    """What a ``check`` block, a condition or a variable's validation says: pass, fail, error or unknown."""

    address: str
    status: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A saved plan. ``applyable`` and ``complete`` are absent where the program is too old to say.

    ``unexpected`` names what has content in the document and no place here, e.g. ``action_invocations``.
    """

    format_version: str
    terraform_version: str
    errored: bool
    applyable: bool | None
    complete: bool | None
    resource_changes: tuple[ResourceChange, ...]
    resource_drift: tuple[ResourceChange, ...]
    output_changes: Mapping[str, Any]
    checks: tuple[Check, ...]
    deferred_changes: tuple[Any, ...]
    configuration: Mapping[str, Any]
    unexpected: tuple[str, ...]

    @property
    def changes(self) -> tuple[ResourceChange, ...]:
        """Those resource changes that have an effect: neither a no-op nor a data source; an import always has one."""
        return tuple(
            change
            for change in self.resource_changes
            if change.importing or change.actions not in WITHOUT_EFFECT
        )


def parse_plan(document: Mapping[str, Any]) -> Plan:
    """Read the document which ``terraform show -json PLANFILE`` prints.

    Raises TerraformFailed if it has another major version of the format.
    """
    version = str(document.get("format_version", ""))
    if version.partition(".")[0] != SUPPORTED_MAJOR:
        raise TerraformFailed(
            f"This Terraform describes plans in format '{version}'; Bluegreen reads format 1. "
            "Use a Terraform release that docs/settings.md names."
        )
    changes, drift = document.get("resource_changes") or (), document.get("resource_drift") or ()
    return Plan(
        format_version=version,
        terraform_version=str(document.get("terraform_version", "")),
        errored=bool(document.get("errored")),
        applyable=document.get("applyable"),
        complete=document.get("complete"),
        resource_changes=tuple(map(_parse_change, changes)),
        resource_drift=tuple(map(_parse_change, drift)),
        output_changes=document.get("output_changes") or {},
        checks=tuple(map(_parse_check, document.get("checks") or ())),
        deferred_changes=tuple(document.get("deferred_changes") or ()),
        configuration=document.get("configuration") or {},
        unexpected=tuple(_unexpected(document, [*changes, *drift])),
    )


def changes_digest(plan: Plan) -> str:
    """SHA-256 (hex) of what the plan does: equal for two plans exactly if they have the same effect.

    Independent of the order of resources and keys, and of what NOISE lists.
    """
    described = sorted(
        map(_describe, plan.changes), key=lambda item: (item["address"], item["deposed"] or "")
    )
    return hashlib.sha256(rfc8785.dumps(described)).hexdigest()


def _parse_change(resource: Mapping[str, Any]) -> ResourceChange:
    change = resource["change"]
    return ResourceChange(
        address=resource["address"],
        type=resource["type"],
        name=resource["name"],
        module_address=resource.get("module_address", ""),
        mode=resource["mode"],
        provider_name=resource.get("provider_name", ""),
        actions=tuple(change["actions"]),
        before=change.get("before"),
        after=change.get("after"),
        after_unknown=change.get("after_unknown", {}),
        before_sensitive=change.get("before_sensitive", {}),
        after_sensitive=change.get("after_sensitive", {}),
        replace_paths=tuple(change.get("replace_paths") or ()),
        action_reason=resource.get("action_reason"),
        importing=_import_id(change.get("importing")),
        previous_address=resource.get("previous_address"),
        deposed=resource.get("deposed"),
    )


def _import_id(importing: Mapping[str, Any] | None) -> str | None:
    return str(importing.get("id", "unknown")) if importing else None


def _parse_check(check: Mapping[str, Any]) -> Check:
    return Check(
        address=str(check.get("address", {}).get("to_display", "")), status=str(check.get("status", ""))
    )


def _unexpected(document: Mapping[str, Any], resources: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    yield from _content_beyond(KNOWN_KEYS, document)
    for resource in resources:
        for key in _content_beyond(KNOWN_RESOURCE_KEYS, resource):
            yield f"{resource['address']}: {key}"
        for key in _content_beyond(KNOWN_CHANGE_KEYS, resource["change"]):
            yield f"{resource['address']}: change.{key}"


def _content_beyond(known: frozenset[str], mapping: Mapping[str, Any]) -> list[str]:
    return sorted(key for key, value in mapping.items() if key not in known and value)


def _describe(change: ResourceChange) -> dict[str, Any]:
    noise = NOISE.get(change.type, frozenset())
    return {
        "address": change.address,
        "previous_address": change.previous_address,
        "deposed": change.deposed,
        "actions": list(change.actions),
        "importing": change.importing or False,
        "before": _without(change.before, noise),
        "after": _without(change.after, noise),
        "unknown": _without(change.after_unknown, noise),
        "sensitive": [_without(change.before_sensitive, noise), _without(change.after_sensitive, noise)],
        "replace_paths": list(change.replace_paths),
    }


def _without(value: object, noise: frozenset[str]) -> object:
    if not isinstance(value, Mapping):
        return value
    return {key: item for key, item in value.items() if key not in noise}
