"""Which settings a service can have, and which a running one can be given."""

import re

from releases.domain.provisioning.settings import (
    MOST_SLOTS,
    MOST_VALUES_IN_A_CONDITION,
    MOST_VALUES_IN_A_RULE,
    RETENTIONS,
    Settings,
)
from releases.domain.provisioning.settings_words import shown

LONGEST_STICKINESS_SECONDS = 604_800
MOST_CONCURRENCY = 1000
MOST_TAGS = 40

_HOST = re.compile(r"[A-Za-z0-9*?][A-Za-z0-9.*?-]{0,127}")
_PATH = re.compile(r"/[A-Za-z0-9_.$/~@:+&*?-]{0,127}")
# Tags of Lambda, IAM and the load balancer all allow these; a control character or a quote none of them needs.
_TAG_KEY = re.compile(r"[\w.:/=+@-][\w .:/=+@-]{0,127}")
_TAG_VALUE = re.compile(r"[\w .:/=+@-]{0,256}")


def problems(settings: Settings, *, has_header: bool = False) -> dict[str, str]:
    """What is wrong with settings, by the name of the field; empty where nothing is.

    The rule of a header, whose value takes the place of one more host or path, is in the settings; `has_header` says it
    for a service that has none stored yet.
    """
    found = {name: check(settings) for name, check in _CHECKS.items()}
    found["paths"] = found["paths"] or _room(settings, has_header=has_header or settings.has_header)
    return {name: problem for name, problem in found.items() if problem}


def change_problems(before: Settings, after: Settings) -> dict[str, str]:
    """What is wrong with a change of a running service, by field: some ways lead forward only."""
    found = problems(after)
    if after.canary_slots < before.canary_slots:
        found["canary_slots"] = f"There are {before.canary_slots} already, and no rule is ever deleted."
    if before.log_retention_days is not None and after.log_retention_days is None:
        found["log_retention_days"] = "Once they are kept for so many days that can be changed, not undone."
    if before.has_header and not after.has_header:
        found["canary_header_name"] = (
            "The header has a rule already, and no rule is ever deleted. To shut everyone out who knows its value, "
            "set another one."
        )
    return found


def _hostnames(settings: Settings) -> str:
    return _values(
        settings.hostnames, _HOST, "host", "letters, digits, hyphens and dots, and * and ? as wildcards"
    )


def _paths(settings: Settings) -> str:
    what = "a slash first, then letters, digits and _-.$/~@:+&, and * and ? as wildcards"
    return _values(settings.paths, _PATH, "path", what)


def _room(settings: Settings, *, has_header: bool) -> str:
    """The canary's rules ask for hosts and paths too, and for an address; the header's rule for its value as well."""
    needs, words = (2, "address and header need two") if has_header else (1, "address needs one")
    room = MOST_VALUES_IN_A_RULE - needs
    if settings.values_of_a_rule <= room:
        return ""
    return (
        f"A rule takes {MOST_VALUES_IN_A_RULE} values, and the canary's {words} of them: "
        f"hosts and paths together may be {room}. Write a wildcard."
    )


def _values(values: tuple[str, ...], shape: re.Pattern[str], what: str, allowed: str) -> str:
    if len(values) > MOST_VALUES_IN_A_CONDITION:
        return f"At most {MOST_VALUES_IN_A_CONDITION} {what}s: a load balancer's condition takes no more."
    if len(set(values)) < len(values):
        return f"Each {what} once."
    wrong = next((value for value in values if not shape.fullmatch(value)), None)
    return "" if wrong is None else f"“{shown(wrong)}” is no {what}: write {allowed}."


def _slots(settings: Settings) -> str:
    return _range(settings.canary_slots, 1, MOST_SLOTS)


def _tags(settings: Settings) -> str:
    if len(settings.tags) > MOST_TAGS:
        return f"At most {MOST_TAGS} tags."
    return next(filter(None, map(_tag, settings.tags.items())), "")


def _tag(tag: tuple[str, str]) -> str:
    key, value = tag
    if not _TAG_KEY.fullmatch(key) or not _TAG_VALUE.fullmatch(value):
        return f"“{shown(key)}={shown(value)}” is no tag: letters, digits, spaces and _.:/=+-@ only."
    return f"“{shown(key)}”: AWS keeps names with aws: for itself." if key.lower().startswith("aws:") else ""


def _retention(settings: Settings) -> str:
    if settings.log_retention_days is None or settings.log_retention_days in RETENTIONS:
        return ""
    return f"CloudWatch keeps logs for one of these numbers of days: {', '.join(map(str, RETENTIONS))}."


def _stickiness(settings: Settings) -> str:
    return _range(settings.stickiness_seconds, 0, LONGEST_STICKINESS_SECONDS)


def _concurrency(settings: Settings) -> str:
    return _range(settings.provisioned_concurrency, 0, MOST_CONCURRENCY)


def _range(value: int, least: int, most: int) -> str:
    return "" if least <= value <= most else f"A whole number from {least} to {most}."


_CHECKS = {
    "hostnames": _hostnames,
    "paths": _paths,
    "canary_slots": _slots,
    "tags": _tags,
    "log_retention_days": _retention,
    "stickiness_seconds": _stickiness,
    "provisioned_concurrency": _concurrency,
}
