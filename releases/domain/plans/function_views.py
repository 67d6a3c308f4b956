"""A function's configuration as the guard compares it: of a plan's resource, and as a configuration asks for it.

The provider has blocks where the module has values: ``ephemeral_storage`` is ``[{"size": 512}]``, no environment is
``[]``, and what an image config leaves out is null, "" or [], whichever came last. Here they are plain values, and
what AWS decides of the network (``vpc_id``) is an attribute of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from releases.domain.plans.plan_blocks import UnknownShape, blocks
from releases.domain.versions.configuration import Configuration, complete

FUNCTION = "aws_lambda_function"
VPC_ID = "vpc_id"

# What is published with a version, so that a change of it makes a new one. Reserved concurrency is the function's.
PUBLISHED = (
    "memory_size",
    "timeout",
    "environment",
    "architectures",
    "ephemeral_storage",
    "vpc_config",
    "tracing_config",
    "image_config",
)
CONFIGURED = (*PUBLISHED, "reserved_concurrent_executions")
"""The attributes that follow from a version's configuration."""


def function_attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    """A function's attributes with its configuration as plain values. Raises UnknownShape."""
    network = dict(_block(values, "vpc_config"))
    return {
        **values,
        "environment": dict(_block(values, "environment").get("variables") or {}),
        "ephemeral_storage": _block(values, "ephemeral_storage").get("size"),
        "tracing_config": _block(values, "tracing_config").get("mode"),
        "image_config": _without_nothing(_block(values, "image_config")),
        VPC_ID: network.pop("vpc_id", None) or None,
        "vpc_config": _network(network),
    }


def expected_attributes(configuration: Configuration) -> dict[str, Any]:
    """The same attributes as a configuration, in the clear, asks for them."""
    fields = complete(configuration)
    network = {name: fields[name] for name in ("subnet_ids", "security_group_ids")}
    return {
        "memory_size": fields["memory_size"],
        "timeout": fields["timeout"],
        "environment": dict(fields["environment"]),
        "architectures": list(fields["architectures"]),
        "ephemeral_storage": fields["ephemeral_storage"],
        "tracing_config": fields["tracing_mode"],
        "image_config": _without_nothing(fields["image_config"] or {}),
        "vpc_config": _network(network if network["subnet_ids"] else {}),
        "reserved_concurrent_executions": fields["reserved_concurrency"],
    }


def unknown_function_names(paths: set[str]) -> set[str]:
    """The attributes that are unknown, by the paths that a plan marks: the network's id is one of its own."""
    found = {path.partition(".")[0] for path in paths if path != f"vpc_config.{VPC_ID}"}
    return found | ({VPC_ID} if paths & {f"vpc_config.{VPC_ID}", "vpc_config"} else set())


def _block(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Sequence[Mapping[str, Any]] = blocks(values.get(name) or [])
    if len(found) > 1:
        raise UnknownShape
    return found[0] if found else {}


def _network(block: Mapping[str, Any]) -> dict[str, Any]:
    if block.keys() - {"subnet_ids", "security_group_ids", "ipv6_allowed_for_dual_stack"}:
        raise UnknownShape
    ids = {name: sorted(block.get(name) or []) for name in ("subnet_ids", "security_group_ids")}
    # The provider keeps a block of nothing where there was one.
    return (
        ids | ({"ipv6_allowed": True} if block.get("ipv6_allowed_for_dual_stack") else {})
        if any(ids.values())
        else {}
    )


def _without_nothing(block: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in block.items() if value}
