"""A service's settings in words, for pages, approvers and the trail: a secret only says that it is there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from releases.domain.provisioning.settings import Settings
from releases.domain.versions.environment import HIDDEN


@dataclass(frozen=True, kw_only=True)
class Changed:
    """One setting that differs, in words."""

    label: str
    before: str
    after: str


LABELS: Mapping[str, str] = {
    "hostnames": "Hosts",
    "paths": "Paths",
    "priority": "Priority",
    "canary_slots": "Canary slots",
    "tags": "Tags",
    "log_retention_days": "Days that logs are kept",
    "stickiness_seconds": "Stickiness while users are split, in seconds",
    "provisioned_concurrency": "Provisioned concurrency",
    "canary_header_name": "Canary header",
    "canary_header_value": "Secret value of the canary header",
}
_NEVER_SHOWN = "canary_header_value"


def differences(before: Settings, after: Settings) -> tuple[Changed, ...]:
    """The settings that differ, in the order of the form."""
    return tuple(
        _changed(name, getattr(before, name), getattr(after, name))
        for name in LABELS
        if getattr(before, name) != getattr(after, name)
    )


def told(columns: Mapping[str, object]) -> dict[str, object]:
    """Settings in the form of `to_columns`, or some of them, for the trail: a secret only says that it is there."""
    return {name: HIDDEN if name == _NEVER_SHOWN and value else value for name, value in columns.items()}


def _changed(name: str, before: object, after: object) -> Changed:
    then = "another one" if name == _NEVER_SHOWN and before else in_words(name, after)
    return Changed(label=LABELS[name], before=in_words(name, before), after=then)


def in_words(name: str, value: object) -> str:
    """One setting's value for people; a secret one only says that it is there."""
    if isinstance(value, str):
        return (HIDDEN if name == _NEVER_SHOWN else value) if value else "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={value[key]}" for key in sorted(value)) or "none"
    if isinstance(value, tuple):
        return ", ".join(value) or "all"
    if name == "log_retention_days" and value is None:
        return "as Lambda makes them"
    return "off" if value == 0 else str(value)


def shown(text: str) -> str:
    """The beginning of what somebody typed, with what can't be seen made visible."""
    return "".join(_visible(text[:40]))


def _visible(text: str) -> Iterator[str]:
    for character in text:
        yield character if character.isprintable() else f"\\u{ord(character):04x}"
