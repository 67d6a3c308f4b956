"""A service's settings as its row has them, in the form that the rules know."""

from typing import Any

from releases.domain.provisioning.settings import Settings, from_columns, to_columns
from releases.models import Service, Step


def recorded_settings(service: Service) -> Settings:
    """The settings that were last verified."""
    return from_columns({name: getattr(service, name) for name in SETTINGS if hasattr(service, name)})


def begun_settings(service: Service) -> Settings | None:
    """The settings that an apply has begun to bring about and that were not verified yet, where there are any."""
    return from_columns(service.settings_begun) if service.settings_begun else None


def present_settings(service: Service) -> tuple[Settings, ...]:
    """What is real may be any of these, each by itself: those that were begun, if any were, and the recorded ones."""
    begun = begun_settings(service)
    return (*([begun] if begun else []), recorded_settings(service))


def begin_settings(service: Service, step: Step) -> None:
    """Note, before the apply, what a settings step will begin to bring about. The caller holds the service's row."""
    service.settings_begun = step.settings_after
    service.save(update_fields=["settings_begun"])


def record_settings(service: Service, settings: Settings) -> None:
    """Put verified settings into the row, which the caller saves."""
    for name, value in to_columns(settings).items():
        setattr(service, name, value)
    service.settings_begun = {}


SETTINGS: dict[str, Any] = to_columns(Settings())
