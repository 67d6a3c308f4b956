"""A service's settings: what its rules ask for, their priority, tags, logs and the like; never who is sent where."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
MOST_VALUES_IN_A_CONDITION = 3
MOST_VALUES_IN_A_RULE = 5
MOST_SLOTS = 10
EVERY_REQUEST = "/*"
"""The path of a service without hosts and paths of its own: a rule has to ask for something."""
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096)


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
