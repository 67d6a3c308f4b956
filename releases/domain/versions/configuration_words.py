"""Configurations in the words of people: what one says, and what differs between two. Secrets are never told."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from releases.domain.versions.configuration import NO_RESERVE, RANGES, Configuration, complete
from releases.domain.versions.environment import differing_names, token_of

_LABELS = {
    "memory_size": "memory",
    "timeout": "timeout",
    "ephemeral_storage": "temporary storage",
    "architectures": "architecture",
    "reserved_concurrency": "reserved concurrency",
    "subnet_ids": "subnets",
    "security_group_ids": "security groups",
    "tracing_mode": "tracing",
    "command": "command",
    "entry_point": "entry point",
    "working_directory": "working directory",
}
_NOTHING = "none"
_SECRET = "secret"  # noqa: S105 - a word, not a password


@dataclass(frozen=True, kw_only=True)
class SettingShown:
    """One setting with its value in words: "memory", "128 MB"."""

    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class SettingChange:
    """One setting that differs, and how. A variable's name is ``environment LOG_LEVEL``."""

    name: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.name}: {self.before} → {self.after}"


def settings_in_words(configuration: Configuration) -> list[SettingShown]:
    """Every setting, the variables of the environment one by one after the others; secret values are not shown."""
    flat = {**_flat(configuration), **_variables(configuration)}
    return [SettingShown(name=name, value=_in_words(name, value)) for name, value in flat.items()]


def changes(before: Configuration, after: Configuration) -> list[SettingChange]:
    """What differs, in the order of ``settings_in_words``."""
    return [*_setting_changes(_flat(before), _flat(after)), *_variable_changes(before, after)]


def label(field: str) -> str:
    """A field's name for people: "memory" for memory_size."""
    return _LABELS.get(field, field.replace("_", " "))


def _setting_changes(old: dict[str, Any], new: dict[str, Any]) -> Iterator[SettingChange]:
    for name, value in new.items():
        if old[name] != value:
            yield SettingChange(name=name, before=_in_words(name, old[name]), after=_in_words(name, value))


def _variable_changes(before: Configuration, after: Configuration) -> Iterator[SettingChange]:
    old, new = _variables(before), _variables(after)
    for name in differing_names(old, new):
        was, will = old.get(name), new.get(name)
        both_secret = token_of(was) is not None and token_of(will) is not None
        yield SettingChange(
            name=name, before=_in_words(name, was), after="changed" if both_secret else _in_words(name, will)
        )


def _flat(configuration: Configuration) -> dict[str, Any]:
    """The settings but for the environment, by their names for people."""
    fields = complete(configuration)
    fields |= fields["image_config"] or {}
    return {name: fields.get(field) for field, name in _LABELS.items()}


def _variables(configuration: Configuration) -> dict[str, Any]:
    environment = configuration.get("environment", {})
    return {f"environment {name}": environment[name] for name in sorted(environment)}


_UNITS = {_LABELS[field]: unit for field, (_, _, unit) in RANGES.items()}


def _in_words(name: str, value: object) -> str:
    if token_of(value) is not None:
        return _SECRET
    if value is None or value == [] or (name == _LABELS["reserved_concurrency"] and value == NO_RESERVE):
        return _NOTHING
    if isinstance(value, list):
        return ", ".join(value)
    if value == "":
        return "empty"
    return f"{value} {_UNITS[name]}" if name in _UNITS else str(value)
