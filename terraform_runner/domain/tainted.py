"""Resources whose making was interrupted: Terraform notes them in the state as tainted, and wants to replace them.

The format of the state is Terraform's own, version 4:
https://github.com/hashicorp/terraform/blob/v1.11.4/internal/states/statefile/version4.go
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any


def tainted(state: bytes) -> tuple[str, ...]:
    """Their addresses, in the order of the state."""
    resources = json.loads(state).get("resources", [])
    return tuple(address for resource in resources for address in _tainted_of(resource))


def _tainted_of(resource: Mapping[str, Any]) -> Iterator[str]:
    parts = (resource.get("module"), resource["type"], resource["name"])
    address = ".".join(filter(None, parts))
    for instance in resource["instances"]:
        if instance.get("status") == "tainted":
            key = instance.get("index_key")
            yield address if key is None else f"{address}[{json.dumps(key)}]"
