"""What a gate on a request binds (invariant 4): there is no plan yet, so it is all that decides which ones are made."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import rfc8785


@dataclass(frozen=True, kw_only=True)
class RequestedStep:
    """A step of a release as it was asked for: `share` in percent, `bake` in seconds."""

    transition: str
    share: int
    gate: bool
    automatic: bool
    bake: int


@dataclass(frozen=True, kw_only=True)
class RequestIdentity:
    """All that a request's approval is bound to.

    `image` is by digest; `configuration` in the form of :mod:`releases.domain.versions.configuration`; `versions` are
    those of the module, of Terraform and of its providers, by their names.
    """

    service: str
    release: str
    image: str
    configuration: Mapping[str, Any]
    canary_addresses: Sequence[str]
    steps: Sequence[RequestedStep]
    versions: Mapping[str, str]

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of RFC 8785 JSON: equal for two requests exactly if they ask for the same."""
        described = {**asdict(self), "steps": [asdict(step) for step in self.steps]}
        described |= {"canary_addresses": list(self.canary_addresses)}
        return hashlib.sha256(rfc8785.dumps(described)).hexdigest()
