"""What a version's function runs its image with: memory, timeout, environment, network, and so on.

The fields are those of the module's ``blue_config``. What has the module's default is left out, and lists whose order
means nothing are sorted, so that equal configurations are equal mappings.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from releases.domain.errors import DomainError
from releases.domain.versions.environment import Revealed, check_environment, reveal, token_of

Configuration = Mapping[str, Any]

DEFAULTS: Configuration = {
    "memory_size": 128,
    "timeout": 30,
    "environment": {},
    "architectures": ["x86_64"],
    "ephemeral_storage": 512,
    "subnet_ids": [],
    "security_group_ids": [],
    "tracing_mode": "PassThrough",
    "image_config": None,
    "reserved_concurrency": -1,
}
"""The module's; a test compares."""

ARCHITECTURES = ("x86_64", "arm64")
TRACING_MODES = ("PassThrough", "Active")
NO_RESERVE = -1

# https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
RANGES: Mapping[str, tuple[int, int, str]] = {
    "memory_size": (128, 10_240, "MB"),
    "timeout": (1, 900, "seconds"),
    "ephemeral_storage": (512, 10_240, "MB"),
    "reserved_concurrency": (1, 100_000, "calls at a time"),
}
MOST_SUBNETS = 16
MOST_SECURITY_GROUPS = 5
MOST_ARGUMENTS = 100
LONGEST_ARGUMENT = 1_000

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_AWS_ID = r"{}-[0-9a-f]{{8,17}}"


class InvalidConfiguration(DomainError):
    """A configuration that Lambda would not take; ``field`` is the one to correct."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"configuration:{field}", message)
        self.field = field


def normalise(given: Configuration, *, revealed: Revealed | None = None) -> dict[str, Any]:
    """The configuration in its one form. ``revealed`` has what the tokens of secret values stand for.

    Raises InvalidConfiguration, which names the field and says what to write.
    """
    for name in given:
        if name not in DEFAULTS:
            raise InvalidConfiguration(name[:40], f"There is no setting “{name[:40]}”.")
    checked = {name: _CHECKS[name](name, value) for name, value in given.items()}
    environment = checked.get("environment", {})
    try:
        check_environment(environment, revealed or {})
    except DomainError as error:
        raise InvalidConfiguration("environment", error.message) from error
    _check_network(checked.get("subnet_ids", []), checked.get("security_group_ids", []))
    return without_defaults(checked)


def without_defaults(configuration: Configuration) -> dict[str, Any]:
    """The same without what has the module's default anyway."""
    return {name: value for name, value in configuration.items() if value != DEFAULTS[name]}


def complete(configuration: Configuration) -> dict[str, Any]:
    """Every field with its value."""
    return {**DEFAULTS, **configuration}


def in_the_clear(configuration: Configuration, revealed: Revealed) -> dict[str, Any]:
    """The configuration as Terraform is given it. Raises KeyError for a token that is not revealed."""
    if "environment" not in configuration:
        return dict(configuration)
    return {**configuration, "environment": reveal(configuration["environment"], revealed)}


def secret_names(configuration: Configuration) -> list[str]:
    """The names of the variables whose values are secret."""
    environment = configuration.get("environment", {})
    return sorted(name for name, value in environment.items() if token_of(value) is not None)


def _number(name: str, value: object) -> int:
    least, most, unit = RANGES[name]
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InvalidConfiguration(name, f"Write a whole number from {least} to {most} ({unit}).")
    return value


def _reserve(name: str, value: object) -> int:
    return NO_RESERVE if value in (None, NO_RESERVE) and not isinstance(value, bool) else _number(name, value)


def _environment(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InvalidConfiguration(name, "Write each variable as NAME=value.")
    return {key: value[key] for key in sorted(value)}


def _architectures(name: str, value: object) -> list[str]:
    if not isinstance(value, list) or len(value) != 1 or value[0] not in ARCHITECTURES:
        raise InvalidConfiguration(name, f"Choose one of {' and '.join(ARCHITECTURES)}.")
    return list(value)


def _tracing_mode(name: str, value: object) -> str:
    if value not in TRACING_MODES:
        raise InvalidConfiguration(name, f"Choose one of {' and '.join(TRACING_MODES)}.")
    return str(value)


def _ids(prefix: str, most: int, example: str) -> Callable[[str, object], list[str]]:
    pattern = re.compile(_AWS_ID.format(prefix))

    def check(name: str, value: object) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise InvalidConfiguration(name, f"Write ids such as {example}, with commas between them.")
        wrong = next((item for item in value if not pattern.fullmatch(item)), None)
        if wrong is not None:
            raise InvalidConfiguration(name, f"“{wrong[:40]}” is no id: write it like {example}.")
        if len(set(value)) > most:
            raise InvalidConfiguration(name, f"Write at most {most}; these are {len(set(value))}.")
        return sorted(set(value))

    return check


def _image_config(name: str, value: object) -> dict[str, Any] | None:
    """Command and entry point are lists of arguments; what is empty is the image's own."""
    if value is None:
        return None
    if not isinstance(value, Mapping) or not value.keys() <= {"command", "entry_point", "working_directory"}:
        raise InvalidConfiguration(name, "Give command, entry_point or working_directory.")
    checked = {
        "command": _arguments("command", value.get("command")),
        "entry_point": _arguments("entry_point", value.get("entry_point")),
        "working_directory": _directory(value.get("working_directory")),
    }
    return {key: item for key, item in checked.items() if item} or None


def _arguments(name: str, value: object) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidConfiguration(name, "Write one argument on each line.")
    if len(value) > MOST_ARGUMENTS or any(len(item) > LONGEST_ARGUMENT for item in value):
        raise InvalidConfiguration(
            name, f"Write at most {MOST_ARGUMENTS} arguments of at most {LONGEST_ARGUMENT} characters."
        )
    if any(_CONTROL.search(item) for item in value):
        raise InvalidConfiguration(name, "An argument has a control character: remove it.")
    return list(value)


def _directory(value: object) -> str:
    if value in (None, ""):
        return ""
    if not isinstance(value, str) or not value.startswith("/") or len(value) > LONGEST_ARGUMENT:
        raise InvalidConfiguration(
            "working_directory",
            f"Write a folder of the image from its root, such as /srv, in at most {LONGEST_ARGUMENT} characters.",
        )
    if _CONTROL.search(value):
        raise InvalidConfiguration("working_directory", "It has a control character: remove it.")
    return value


def _check_network(subnet_ids: list[str], security_group_ids: list[str]) -> None:
    if bool(subnet_ids) == bool(security_group_ids):
        return
    missing = "security_group_ids" if subnet_ids else "subnet_ids"
    raise InvalidConfiguration(
        missing, "A function in a VPC needs both subnets and security groups: write both, or neither."
    )


_CHECKS: Mapping[str, Callable[[str, object], Any]] = {
    "memory_size": _number,
    "timeout": _number,
    "environment": _environment,
    "architectures": _architectures,
    "ephemeral_storage": _number,
    "subnet_ids": _ids("subnet", MOST_SUBNETS, "subnet-0a1b2c3d4e5f60718"),
    "security_group_ids": _ids("sg", MOST_SECURITY_GROUPS, "sg-0a1b2c3d4e5f60718"),
    "tracing_mode": _tracing_mode,
    "image_config": _image_config,
    "reserved_concurrency": _reserve,
}
