"""What the hashes of the trail are made of; ``docs/audit.md`` describes it for whoever checks them elsewhere."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import rfc8785


def digest_of(content: Mapping[str, Any]) -> str:
    """SHA-256 (hexadecimal) of an event's content as RFC 8785 JSON.

    What is empty is left out, so that a column which is added later changes no earlier digest. Raises ``ValueError``
    for what has no canonical form.
    """
    filled = {name: value for name, value in content.items() if value not in ("", {})}
    return hashlib.sha256(rfc8785.dumps(filled)).hexdigest()


def moment(at: datetime) -> str:
    """A moment as the hashes have it: UTC with six digits of the second, "2026-01-02T03:04:05.000006Z"."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
