"""From what somebody asks for to a version's configuration as it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from releases.domain.versions.configuration import Configuration, InvalidConfiguration, normalise
from releases.domain.versions.environment import token_of
from releases.services.versions import secret_values


@dataclass(frozen=True, kw_only=True)
class WantedConfiguration:
    """``settings`` are fields of a configuration, with the plain variables of the environment.

    ``secrets`` are new secret values by name; ``kept`` names those that stay as the users have them now.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    kept: frozenset[str] = frozenset()


def settle(service_id: UUID, wanted: WantedConfiguration, *, present: Configuration) -> dict[str, Any]:
    """The configuration to store; a secret that is written again with its present value keeps its token.

    Raises InvalidConfiguration.
    """
    old = present.get("environment", {})
    plain = wanted.settings.get("environment", {})
    secrets = {name: _kept(name, old) for name in sorted(wanted.kept - wanted.secrets.keys())}
    secrets |= {name: _stored(service_id, name, value, old) for name, value in wanted.secrets.items()}
    for name in sorted(plain.keys() & secrets.keys()):
        raise InvalidConfiguration(
            "environment", f"{name} is there as a value and as a secret: take one of them out."
        )
    configuration = {**wanted.settings, "environment": {**plain, **secrets}}
    return normalise(configuration, revealed=secret_values.reveal(service_id, configuration))


def _kept(name: str, old: Mapping[str, object]) -> object:
    if token_of(old.get(name)) is None:
        raise InvalidConfiguration(
            "environment", f"There is no secret {name[:60]} any more that could be kept: write its value."
        )
    return old[name]


def _stored(service_id: UUID, name: str, value: str, old: Mapping[str, object]) -> object:
    revealed = secret_values.reveal(service_id, {"environment": old})
    token = token_of(old.get(name))
    return old[name] if token and revealed[token] == value else secret_values.encrypt(service_id, name, value)
