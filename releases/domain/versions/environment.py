"""The environment variables of a function: Lambda's rules for them, and which values are secret.

A value is a text, or, where it is secret, ``{"encrypted": token}``. What a token stands for is only known to those who
hold the keys: they pass it as a mapping from tokens to values, "revealed".
"""

import json
import re
from collections.abc import Mapping

from releases.domain.errors import DomainError

Environment = Mapping[str, object]
Revealed = Mapping[str, str]
"""What tokens stand for."""

# Lambda's limit, measured as it says: the whole mapping as JSON.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
MOST_BYTES = 4096
SHORTEST_SECRET = 8
"""A shorter one can't be masked in a log: it would be masked in the middle of other words."""

HIDDEN = "(secret)"

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_MOST_SHOWN = 60

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
RESERVED_NAMES = frozenset(
    {
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
    }
)


class InvalidEnvironment(DomainError):
    """A variable that Lambda would not take, or too many of them."""

    def __init__(self, message: str) -> None:
        super().__init__("configuration:environment", message)


def check_environment(environment: Environment, revealed: Revealed) -> None:
    """Raise InvalidEnvironment, with the variable's name but never its value, if Lambda would refuse this."""
    for name, value in environment.items():
        _check_name(name)
        secret = token_of(value)
        _check_value(name, value if secret is None else revealed.get(secret), is_secret=secret is not None)
    size = len(json.dumps(reveal(environment, revealed), ensure_ascii=False, separators=(",", ":")).encode())
    if size > MOST_BYTES:
        raise InvalidEnvironment(
            f"All variables together have {size} bytes, and Lambda takes {MOST_BYTES}: shorten or remove some, or put "
            "long values where the service can read them itself."
        )


def secret(token: str) -> dict[str, str]:
    """The value of a secret variable, by its token."""
    return {"encrypted": token}


def token_of(value: object) -> str | None:
    """The token of a secret value; None for a plain one."""
    return str(value["encrypted"]) if isinstance(value, Mapping) and set(value) == {"encrypted"} else None


def reveal(environment: Environment, revealed: Revealed) -> dict[str, str]:
    """The variables in the clear. Raises KeyError for a token that is not revealed."""
    found = ((name, value, token_of(value)) for name, value in environment.items())
    return {name: str(value) if token is None else revealed[token] for name, value, token in found}


def hide(value: object) -> object:
    """Any JSON value with "(secret)" in the place of each secret: tokens too are no one's business."""
    if token_of(value) is not None:
        return HIDDEN
    match value:
        case Mapping():
            return {name: hide(item) for name, item in value.items()}
        case list() | tuple():
            return [hide(item) for item in value]
        case _:
            return value


def differing_names(one: Mapping[str, object], other: Mapping[str, object]) -> list[str]:
    """The names of the variables that are in one of the two only, or have different values."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _check_name(name: str) -> None:
    shown = f"“{name[:_MOST_SHOWN]}”"
    if not _NAME.fullmatch(name):
        raise InvalidEnvironment(
            f"{shown} is no name of a variable: Lambda takes at least two letters, digits and underscores, "
            "the first one a letter."
        )
    if name in RESERVED_NAMES:
        raise InvalidEnvironment(f"{shown} is set by Lambda itself: choose another name.")


def _check_value(name: str, value: object, *, is_secret: bool) -> None:
    if not isinstance(value, str):
        raise InvalidEnvironment(f"The value of {name} is no text: write it again.")
    if _CONTROL.search(value):
        raise InvalidEnvironment(f"The value of {name} has a control character: remove it.")
    if is_secret and len(value) < SHORTEST_SECRET:
        raise InvalidEnvironment(
            f"The secret {name} has less than {SHORTEST_SECRET} characters: nobody could mask it in a log without "
            "hiding other words. Choose a longer one, or don't mark it as secret."
        )
