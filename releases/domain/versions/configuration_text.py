"""What people type for a configuration: numbers, lists and variables, one on each line."""

import json
import re
from collections.abc import Iterable, Mapping

from releases.domain.versions.configuration import InvalidConfiguration

_NUMBER = re.compile(r"[0-9]{1,9}")
_MOST_SHOWN = 40


def whole_number(field: str, text: str) -> int:
    """A number in plain digits: Python alone would also take “٣”, “+5” and “1_0”. Raises InvalidConfiguration."""
    if not _NUMBER.fullmatch(text.strip()):
        raise InvalidConfiguration(field, "Write a whole number in digits.")
    return int(text)


def parse_variables(field: str, text: str) -> dict[str, str]:
    """Variables as ``NAME=value`` lines; a value that is written as a JSON string may have line breaks.

    Raises InvalidConfiguration with the number of the line, never with its content: it may be a secret.
    """
    variables: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        name, sign, value = line.partition("=")
        name = name.strip()
        if not sign or not name:
            raise InvalidConfiguration(field, f"Line {number} is not written as NAME=value.")
        if name in variables:
            raise InvalidConfiguration(field, f"{name[:_MOST_SHOWN]} is there twice: remove one.")
        variables[name] = _value(field, number, value)
    return variables


def variables_as_text(variables: Mapping[str, str]) -> str:
    """The inverse of ``parse_variables``."""
    return "\n".join(f"{name}={_written(value)}" for name, value in variables.items())


def parse_list(text: str) -> list[str]:
    """Values with commas, spaces or line breaks between them."""
    return [part for part in re.split(r"[\s,]+", text) if part]


def parse_arguments(text: str) -> list[str]:
    """One argument on each line, empty lines at the end left out."""
    return text.rstrip("\r\n").splitlines()


def arguments_as_text(arguments: Iterable[str]) -> str:
    """The inverse of ``parse_arguments``."""
    return "\n".join(arguments)


def _value(field: str, number: int, text: str) -> str:
    if not text.startswith('"'):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, str):
        raise InvalidConfiguration(
            field, f"The value in line {number} begins with a quote: end it with one, as a JSON string does."
        )
    return value


def _written(value: str) -> str:
    """As it is, where reading it gives the same again; else as a JSON string."""
    is_plain = value.splitlines() in ([value], []) and not value.startswith('"')
    return value if is_plain else json.dumps(value)
