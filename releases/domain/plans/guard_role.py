"""The guard's rules for the functions' role: the one that was given, or one made with the rights that were chosen."""

import json
from collections.abc import Iterator, Mapping

from releases.domain.plans.expectation import ROLE, ROLE_POLICIES, Refusal
from releases.domain.plans.function_views import FUNCTION
from releases.domain.plans.plan_views import Attributes, Missing, attributes_after, same
from releases.domain.provisioning.blueprint import Blueprint
from releases.domain.provisioning.execution_role import MANAGED_POLICY, TRUST, RoleRights, partition
from terraform_runner.domain.plan import ResourceChange

_FIXED: Mapping[str, object] = {
    "description": None,
    "force_detach_policies": False,
    "max_session_duration": 3600,
    "path": "/",
}


def check(created: Mapping[str, ResourceChange], blueprint: Blueprint) -> Iterator[Refusal]:
    """What is wrong with the role that a set-up makes, with what that may do, and with the role that functions get."""
    for change in created.values():
        if change.type == FUNCTION:
            yield from _check_function(change, blueprint)
    if role := created.get(ROLE):
        yield from _differing(role, _wanted_role(blueprint), "is not what the functions' role is made with.")
    for rights, name in ROLE_POLICIES.items():
        if policy := created.get(name):
            wanted = _wanted_policy(rights, blueprint)
            yield from _differing(policy, wanted, "is not what the functions' role may do.")


def _check_function(change: ResourceChange, blueprint: Blueprint) -> Iterator[Refusal]:
    """A role that is made has no ARN before, unless an earlier try has made it."""
    found = _values(change).get("role")
    if found != blueprint.role_arn and (blueprint.role.arn or found is not Missing.UNKNOWN):
        yield _refusal(change, "role", "is another role than the service's.")


def _wanted_role(blueprint: Blueprint) -> dict[str, object]:
    boundary = blueprint.role.permissions_boundary or None
    named = {"name": blueprint.role_name, "permissions_boundary": boundary}
    return {**_FIXED, **named, "assume_role_policy": TRUST}


def _wanted_policy(rights: RoleRights, blueprint: Blueprint) -> dict[str, object]:
    if rights is RoleRights.LEAST:
        return {"name": "least", "role": blueprint.role_name, "policy": blueprint.role_policy}
    arn = f"arn:{partition(blueprint.region)}:{MANAGED_POLICY}"
    return {"role": blueprint.role_name, "policy_arn": arn}


def _differing(change: ResourceChange, wanted: Mapping[str, object], reason: str) -> Iterator[Refusal]:
    found = _values(change)
    for attribute, value in wanted.items():
        given = (
            found.get(attribute) if found.get(attribute) != "" else None
        )  # as the provider imports nothing
        if not same(_document(given) if isinstance(value, dict) else given, value):
            yield _refusal(change, attribute, reason)


def _document(text: object) -> object:
    """A policy's text as JSON; itself where it is none."""
    try:
        document: object = json.loads(str(text))
    except ValueError:
        return text
    return document


def _values(change: ResourceChange) -> Attributes:
    return attributes_after(change.type, change.after, change.after_unknown)


def _refusal(change: ResourceChange, attribute: str, reason: str) -> Refusal:
    return Refusal(address=change.address, attribute=attribute, reason=reason)
