"""A listener rule as it is at AWS, compared with a plan's `before` and with what is wanted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from releases.domain.plans.expectation import CANARY_RULE, HEADER_RULE, SLOT_RULES, TRAFFIC_RULE, Expectation
from releases.domain.plans.plan_views import HEADERS, SOURCE_ADDRESSES, STICKINESS, WEIGHTS, condition_values
from releases.domain.traffic import TrafficState

EVERY_PATH = frozenset({"/*"})
"""The condition of a service without hosts and paths of its own: a rule has to have one."""

Row = tuple[str, object, object]
"""What is compared, what it should be, and what it is."""

_OWN_VALUE, _OTHER_VALUE = "the service's own", "another"


@dataclass(frozen=True, kw_only=True)
class RuleReality:
    """A listener rule as the load balancer has it. `weights` by target group ARN, `headers`' values by name.

    `stickiness_seconds` is 0 where clients are not kept on the group that they came to first.
    """

    weights: Mapping[str, int]
    source_ips: frozenset[str]
    hostnames: frozenset[str]
    paths: frozenset[str]
    priority: int
    stickiness_seconds: int
    headers: Mapping[str, frozenset[str]] = field(repr=False)
    other_conditions: frozenset[str]
    """Kinds of conditions that Bluegreen never makes: a rule that has one does not see all requests."""


def in_words(rule: str) -> str:
    """A rule's name for people, from its address in the module."""
    if rule in SLOT_RULES and rule != CANARY_RULE:
        return f"canary rule {SLOT_RULES.index(rule) + 1}"
    return {TRAFFIC_RULE: "traffic rule", CANARY_RULE: "canary rule", HEADER_RULE: "header rule"}[rule]


def planned_rule(rule: str, before: Mapping[str, Any] | None, real: RuleReality | None) -> Iterator[Row]:
    """A rule as the plan found it; nothing where the plan makes it."""
    name = in_words(rule)
    if not before:
        return
    if real is None:
        yield _missing(name)
        return
    conditions = before["condition"]
    yield f"weights of the {name}", dict(before[WEIGHTS]), dict(real.weights)
    yield f"source addresses of the {name}", _flat(before[SOURCE_ADDRESSES]), real.source_ips
    yield f"hosts of the {name}", _flat(condition_values(conditions, "host_header")), real.hostnames
    yield f"paths of the {name}", _flat(condition_values(conditions, "path_pattern")), real.paths
    yield f"priority of the {name}", before["priority"], real.priority
    yield f"other conditions of the {name}", frozenset(), real.other_conditions
    yield f"stickiness of the {name}", sum(before[STICKINESS]), real.stickiness_seconds
    # The plan that is read here is the masked one: the guard has compared the value, verification does it again.
    yield f"header of the {name}", frozenset(header for header, _ in before[HEADERS]), frozenset(real.headers)


def wanted_rule(
    rule: str, after: TrafficState, expected: Expectation, real: RuleReality | None
) -> Iterator[Row]:
    """A rule as it is wanted in a traffic state."""
    name = in_words(rule)
    if real is None:
        yield _missing(name)
        return
    hosts = frozenset(expected.hostnames)
    yield f"weights of the {name}", expected.weights(rule, after), dict(real.weights)
    yield f"source addresses of the {name}", frozenset(expected.addresses(rule, after)), real.source_ips
    yield f"hosts of the {name}", hosts, real.hostnames
    yield f"paths of the {name}", _paths(expected), real.paths
    yield f"priority of the {name}", expected.rule_priority(rule), real.priority
    yield f"other conditions of the {name}", frozenset(), real.other_conditions
    yield f"stickiness of the {name}", expected.stickiness(rule, after), real.stickiness_seconds
    yield from _wanted_header(rule, expected, real)


def _wanted_header(rule: str, expected: Expectation, real: RuleReality) -> Iterator[Row]:
    """The value is a secret, and told to nobody."""
    header = expected.header(rule)
    wanted = {header.name: frozenset({header.value})} if header else {}
    yield f"header of the {in_words(rule)}", frozenset(wanted), frozenset(real.headers)
    if wanted.keys() == real.headers.keys():
        found = _OWN_VALUE if wanted == real.headers else _OTHER_VALUE
        yield f"value of the header of the {in_words(rule)}", _OWN_VALUE, found


def _paths(expected: Expectation) -> frozenset[str]:
    return frozenset(expected.paths) or (frozenset() if expected.hostnames else EVERY_PATH)


def _missing(name: str) -> Row:
    return name, "there", "not there"


def _flat(values: Sequence[Sequence[str]]) -> frozenset[str]:
    return frozenset(value for inner in values for value in inner)
