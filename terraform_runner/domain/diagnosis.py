"""Recognises in Terraform's own words what went wrong. The words are those of Terraform 1.10 to 1.11."""

import re
from collections.abc import Callable, Iterable

from terraform_runner.errors import (
    ModuleInvalid,
    PlanStale,
    ProviderNotFound,
    RunnerError,
    StateLocked,
    StorageFailed,
    TerraformFailed,
    TerraformKilled,
    TerraformTooOld,
)

MESSAGE_CHARACTERS = 2_000

_Kind = Callable[[str, int], RunnerError]


def recognise(verb: str, exit_code: int, lines: Iterable[str]) -> RunnerError:
    """The error that a command's last lines tell of; its message says what to do and quotes Terraform."""
    text = "\n".join(lines)
    said = _errors_in(text)
    if exit_code < 0:
        return _killed(said, exit_code)
    for pattern, kind in _KINDS:
        if re.search(pattern, text):
            return kind(said, exit_code)
    return TerraformFailed(f"terraform {verb} ended with exit code {exit_code}.\n{said}", exit_code=exit_code)


def _errors_in(text: str) -> str:
    """From the first "Error:" on; without one, the end of what was printed."""
    start = re.search(r"^Error: ", text, re.MULTILINE)
    if start is None:
        return text.strip()[-MESSAGE_CHARACTERS:]
    said = text[start.start() :].strip()
    return said if len(said) <= MESSAGE_CHARACTERS else said[:MESSAGE_CHARACTERS] + " …"


def _killed(said: str, exit_code: int) -> RunnerError:
    return TerraformKilled(
        "Terraform or its provider was killed from outside, for example because the machine has too little memory. "
        f"Its last words:\n{said}",
        exit_code=exit_code,
    )


def _locked(said: str, exit_code: int) -> RunnerError:
    who, since, operation = (_lock_info(said, name) for name in ("Who", "Created", "Operation"))
    return StateLocked(
        f"The state is locked by {who or 'somebody'} since {since or 'an unknown time'} "
        f"({operation or 'unknown operation'}). Wait until that has ended. If nobody runs Terraform there any more, "
        "that person can free it with `terraform force-unlock`; Bluegreen frees its own only.",
        who=who,
        since=since,
        operation=operation,
        exit_code=exit_code,
    )


def _lock_info(said: str, name: str) -> str:
    found = re.search(rf"^\s*{name}:[ \t]*(.*)$", said, re.MULTILINE)
    return found.group(1).strip() if found else ""


def _stale(said: str, exit_code: int) -> RunnerError:
    return PlanStale(
        f"The state has changed since this plan was made. Make a new plan.\n{said}", exit_code=exit_code
    )


def _of_another_version(said: str, exit_code: int) -> RunnerError:
    return PlanStale(
        f"This plan was made by another version of Terraform than this worker has. Make a new plan.\n{said}",
        exit_code=exit_code,
    )


def _too_old(said: str, exit_code: int) -> RunnerError:
    return TerraformTooOld(
        f"This Terraform is too old for the module or the state. Install the version named here.\n{said}",
        exit_code=exit_code,
    )


def _no_provider(said: str, exit_code: int) -> RunnerError:
    return ProviderNotFound(
        "A provider is missing. Put it into the mirror that BLUEGREEN_TERRAFORM_MIRROR names, or let this machine "
        f"reach registry.terraform.io.\n{said}",
        exit_code=exit_code,
    )


def _no_room(said: str, exit_code: int) -> RunnerError:
    return StorageFailed(
        f"There is no room left where Terraform writes. Make room there, then try again.\n{said}",
        exit_code=exit_code,
    )


def _invalid(said: str, exit_code: int) -> RunnerError:
    return ModuleInvalid(
        f"Terraform does not accept the module or a value for one of its variables. Correct it and plan again.\n{said}",
        exit_code=exit_code,
    )


# In this order: what comes first explains what comes after it.
_KINDS: tuple[tuple[str, _Kind], ...] = (
    (r"Error: Unsupported Terraform Core version", _too_old),
    (r"(?s)Unsupported state file\s+format: The state file uses format\s+version", _too_old),
    (r"(?s)state snapshot was created by\s+Terraform v\S+, which is newer", _too_old),
    (r"(?sm)Error: Error acquiring the state lock.*^Lock Info:", _locked),
    (r"Error: Saved plan (?:is stale|does not match the given state)", _stale),
    (r"(?s)plan file was created by\s+(?:Terraform|a different)", _of_another_version),
    (r"(?i)no space left on device", _no_room),
    (r"Error: (?:Plugin did not respond|Request cancelled)", _killed),
    (r"Error: Failed to (?:query available provider packages|install provider)", _no_provider),
    (r"Error: (?:Inconsistent dependency lock file|Required plugins are not installed)", _no_provider),
    (
        r"Error: (?:Unsupported|Missing required|Invalid value for|Invalid (?:reference|expression|index))",
        _invalid,
    ),
    (r"Error: (?:No value for|Reference to undeclared|Incorrect attribute|Inappropriate value)", _invalid),
    (
        r"Error: (?:Unreadable module|Module not|Duplicate|Argument (?:or|definition)|Call to unknown)",
        _invalid,
    ),
    (
        r"Error: (?:Invalid function argument|Error in function call|Unclosed configuration|Invalid character)",
        _invalid,
    ),
    (r"Error: (?:Provider configuration not present|Cycle:|Invalid (?:count|for_each) argument)", _invalid),
)
