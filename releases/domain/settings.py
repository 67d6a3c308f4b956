"""A service's settings: what its rules ask for, their priority, tags, logs and the like; never who is sent where."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields

from releases.domain.environment import HIDDEN

# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
MOST_VALUES_IN_A_CONDITION = 3
MOST_VALUES_IN_A_RULE = 5
MOST_SLOTS = 10
EVERY_REQUEST = "/*"
"""The path of a service without hosts and paths of its own: a rule has to ask for something."""
LONGEST_STICKINESS_SECONDS = 604_800
MOST_CONCURRENCY = 1000
MOST_TAGS = 40
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096)

_HOST = re.compile(r"[A-Za-z0-9*?][A-Za-z0-9.*?-]{0,127}")
_PATH = re.compile(r"/[A-Za-z0-9_.$/~@:+&*?-]{0,127}")
# Tags of Lambda, IAM and the load balancer all allow these; a control character or a quote none of them needs.
_TAG_KEY = re.compile(r"[\w.:/=+@-][\w .:/=+@-]{0,127}")
_TAG_VALUE = re.compile(r"[\w .:/=+@-]{0,256}")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """No hosts and no paths: every request. `log_retention_days` None: the logs are kept as Lambda makes them.

    `canary_header_value` is the value as it is stored, encrypted: what it stands for is only known to those who hold
    the keys. Without a header both are empty.
    """

    hostnames: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    priority: int = 200
    canary_slots: int = 1
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    log_retention_days: int | None = None
    stickiness_seconds: int = 0
    provisioned_concurrency: int = 0
    canary_header_name: str = ""
    canary_header_value: str = field(default="", repr=False)

    @property
    def has_header(self) -> bool:
        """Whether the canary has a rule for a header."""
        return bool(self.canary_header_name)

    @property
    def takes_all(self) -> bool:
        """Whether its traffic rule matches every request."""
        return not self.hostnames and (not self.paths or "/*" in self.paths)

    @property
    def values_of_a_rule(self) -> int:
        """How many of a rule's five values hosts and paths need; a rule without both asks for one path."""
        return max(1, len(self.hostnames) + len(self.paths))


@dataclass(frozen=True, kw_only=True)
class SettingsChange:
    """The recorded settings and those that a plan shall lead to; most plans change none.

    `begun` are settings which an earlier apply began to bring about and that nobody verified: what is real may be
    these as well, each by itself.
    """

    before: Settings
    after: Settings
    begun: Settings | None = None

    @property
    def starts(self) -> tuple[Settings, ...]:
        """What may be found before the plan: the recorded ones, the wanted ones, those that were begun."""
        return tuple(one for one in (self.before, self.after, self.begun) if one is not None)


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


def shown(text: str) -> str:
    """The beginning of what somebody typed, with what can't be seen made visible."""
    return "".join(_visible(text[:40]))


def _visible(text: str) -> Iterator[str]:
    for character in text:
        yield character if character.isprintable() else f"\\u{ord(character):04x}"


def from_columns(columns: Mapping[str, object]) -> Settings:
    """Settings from JSON values by name, such as those of a row: lists become tuples, other names are left out."""
    known = {name.name for name in fields(Settings)} & columns.keys()
    values = {name: _immutable(columns[name]) for name in known}
    return Settings(**values)  # type: ignore[arg-type]  # the names are those of the fields, the values as they were kept


def to_columns(settings: Settings) -> dict[str, object]:
    """The inverse of `from_columns`: what JSON and a row take."""
    values = {name.name: getattr(settings, name.name) for name in fields(Settings)}
    return {name: _plain(value) for name, value in values.items()}


def _immutable(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value
