"""From what a pipeline sends to what it asks for: what it doesn't say is as the service usually has it."""

from typing import Any

from releases.api.asked import ConfigurationIn, ReleaseIn, given
from releases.domain.versions.configuration import Configuration, complete, secret_names
from releases.models import Service
from releases.services.requests import ReleaseRequest
from releases.services.versions.configurations import WantedConfiguration

_OF_THE_IMAGE = ("command", "entry_point", "working_directory")


def release_wanted(service: Service, body: ReleaseIn) -> ReleaseRequest:
    """The release that is asked for. Without a tag it brings the very image that the users have."""
    serving = service.state.version_of(service.state.serving)
    has_testers = bool(service.canary_addresses or service.canary_header_name)
    said = given(body) | {"configuration": _configuration(body.configuration, serving.configuration)}
    extra_gates = said.pop("gates", service.extra_gates)
    usual = {
        "weights": service.weights,
        "canary": service.canary_first and has_testers,
        "automatic": service.automatic_steps,
        "bake_seconds": service.bake_seconds,
        "bakes": service.bakes,
    }
    if body.tag is None:
        said |= {"tag": _tag(service), "digest": body.digest or serving.digest}
    return ReleaseRequest(**{**usual, **said, "extra_gates": extra_gates})


def _tag(service: Service) -> str:
    return service.blue_tag if service.state.serving == "blue" else service.green_tag


def _configuration(body: ConfigurationIn | None, present: Configuration) -> WantedConfiguration | None:
    if body is None:
        return None
    said = given(body)
    settings: dict[str, Any] = complete(present)
    image = (settings["image_config"] or {}) | {
        name: said.pop(name) for name in _OF_THE_IMAGE if name in said
    }
    secrets = said.pop("secrets", {})
    said.pop("environment", None)
    kept = set(secret_names(present)) - body.environment.keys() - secrets.keys()
    plain = settings["environment"] | body.environment
    left_out = {*secret_names(present), *secrets} - body.environment.keys()
    environment = {name: value for name, value in plain.items() if value is not None and name not in left_out}
    return WantedConfiguration(
        settings={**settings, **said, "image_config": image or None, "environment": environment},
        secrets=secrets,
        kept=frozenset(kept),
    )
