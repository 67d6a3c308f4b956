"""What is real at AWS, compared with a plan before its apply and with what was wanted after it.

Terraform notices neither: a saved plan is refused only if the state changed, not if the weights did
(FAULTS T15), and a plan without changes "succeeds" while reality differs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from releases.domain.observed.configuration_reality import configuration_rows, planned_rows
from releases.domain.observed.rule_reality import Row, RuleReality, planned_rule, wanted_rule
from releases.domain.plans.expectation import TRAFFIC_RULE, Expectation
from releases.domain.plans.plan_views import attributes
from releases.domain.traffic import Color, TrafficState, Transition, changed_colors
from releases.domain.versions.configuration import Configuration
from terraform_runner.domain.plan import Plan


@dataclass(frozen=True, kw_only=True)
class ColorReality:
    """A colour's function, its alias, and what its target group calls. Digests are "sha256:…".

    `callers` are the target groups from which the load balancer may invoke the alias ("*": from any). `state` and
    `update_status` are of the version that the alias leads to, `latest_state` and `last_update_status` of the function;
    both configurations are in the clear, only in memory.
    """

    function_name: str
    alias_version: str
    alias_digest: str
    latest_digest: str
    newest_version: str
    targets: tuple[str, ...]
    callers: frozenset[str]
    state: str
    update_status: str
    latest_state: str
    last_update_status: str
    configuration: Configuration = field(default_factory=dict, repr=False)
    alias_configuration: Configuration = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Reality:
    """Everything of one service that a release may change, read at one moment.

    `rules` are by their addresses in the module; one that is not at AWS is missing.
    """

    rules: Mapping[str, RuleReality]
    blue: ColorReality
    green: ColorReality

    def color(self, color: Color) -> ColorReality:
        """What is real of one colour."""
        return self.blue if color is Color.BLUE else self.green

    @property
    def alias_versions(self) -> dict[Color, str]:
        """The published version that each colour's alias points to."""
        return {color: self.color(color).alias_version for color in Color}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that is not as it should be."""

    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.what}: expected {self.expected}, found {self.found}"


def differences_from_plan(plan: Plan, reality: Reality, expectation: Expectation) -> tuple[Difference, ...]:
    """Where reality is no longer what the plan's `before` says, of resources that it leaves alone too."""
    before = {
        change.address.removeprefix(expectation.module_prefix): attributes(change.type, change.before)
        for change in plan.resource_changes
        if change.mode == "managed"
    }
    compared = [
        *(
            row
            for rule in _rules(expectation)
            for row in planned_rule(rule, before.get(rule), reality.rules.get(rule))
        ),
        *(row for color in Color for row in _planned_color(color, before, reality.color(color))),
        *(row for color in Color for row in _planned_configuration(color, expectation, reality)),
    ]
    return _differences(compared)


def verify(
    after: TrafficState,
    expectation: Expectation,
    reality: Reality,
    *,
    versions_before: Mapping[Color, str],
) -> tuple[Difference, ...]:
    """What is not as it was wanted, read back after an apply.

    `versions_before` are the published versions that the aliases pointed to before; a colour whose function
    was changed has to be on its newest instead. After a rollback only the colours that serve are looked at:
    the other one may hold what a stopped rotation left.
    """
    colors = [color for color in Color if _matters(color, after, expectation)]
    compared = [
        *(
            row
            for rule in _rules(expectation)
            for row in wanted_rule(rule, after, expectation, reality.rules.get(rule))
        ),
        *(row for color in colors for row in _wanted_color(color, after, expectation, reality.color(color))),
        *(
            (f"version that {color}'s alias points to", version, reality.color(color).alias_version)
            for color in colors
            for version in [_wanted_version(color, expectation, reality, versions_before)]
        ),
    ]
    return _differences(compared)


def gains_traffic(expectation: Expectation) -> tuple[Color, ...]:
    """The colours to which the transition sends more of the users, or the canary: they have to be ready for it.

    A rollback is never held up: where it leads has served already.
    """
    before, after = expectation.before, expectation.after
    if expectation.transition is Transition.ROLLBACK:
        return ()
    return tuple(
        color
        for color in Color
        if after.weight_of(color) > before.weight_of(color)
        or (after.receives_traffic(color) and not before.receives_traffic(color))
    )


def not_ready(expectation: Expectation, reality: Reality) -> tuple[Difference, ...]:
    """What keeps the colours that gain traffic from serving it, looked at before anybody is sent there."""
    rows = (
        row
        for color in gains_traffic(expectation)
        for row in _wanted_color(color, expectation.after, expectation, reality.color(color))
    )
    return _differences(tuple(rows))


def cannot_serve(color: Color, expectation: Expectation, reality: ColorReality) -> tuple[Difference, ...]:
    """What keeps a colour from serving everybody with the version that is recorded for it."""
    return _differences(tuple(_wanted_color(color, expectation.after, expectation, reality)))


def is_waking(expectation: Expectation, reality: Reality) -> tuple[Color, ...]:
    """The colours that gain traffic and are not ready yet, but become so by waiting: asleep, or being updated."""
    return tuple(color for color in gains_traffic(expectation) if _passes(reality.color(color)))


def _passes(real: ColorReality) -> bool:
    states = {real.state, real.latest_state}
    updates = {real.update_status, real.last_update_status}
    return "Failed" not in states | updates and bool(
        states & {"Inactive", "Pending"} or "InProgress" in updates
    )


def _rules(expectation: Expectation) -> tuple[str, ...]:
    return TRAFFIC_RULE, *expectation.canary_rules


def _differences(rows: Sequence[Row]) -> tuple[Difference, ...]:
    return tuple(
        Difference(what=what, expected=_words(expected), found=_words(found))
        for what, expected, found in rows
        if expected != found
    )


def _words(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {item}" for key, item in sorted(value.items()))
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or "nobody in particular"
    return str(value)


def _planned_color(color: Color, before: Mapping[str, Any], real: ColorReality) -> Iterator[Row]:
    function, alias, target = (
        before.get(f"{kind}.{color}")
        for kind in ("aws_lambda_function", "aws_lambda_alias", "aws_lb_target_group_attachment")
    )
    if function:
        yield f"image of {color}'s function", function["image_uri"].partition("@")[2], real.latest_digest
        yield f"newest version of {color}'s function", function["version"], real.newest_version
    if alias:
        yield f"version that {color}'s alias points to", alias["function_version"], real.alias_version
    if target:
        yield f"targets of {color}'s group", frozenset({target["target_id"]}), frozenset(real.targets)


def _planned_configuration(color: Color, expected: Expectation, reality: Reality) -> Iterator[Row]:
    before, after = (expected.configuration(state, color) for state in (expected.before, expected.after))
    return planned_rows(f"{color}'s function", before, after, reality.color(color).configuration)


def _wanted_color(
    color: Color, after: TrafficState, expected: Expectation, real: ColorReality
) -> Iterator[Row]:
    digest = after.version_of(color).digest
    yield f"image of {color}'s function", digest, real.latest_digest
    yield f"image that {color}'s alias serves", digest, real.alias_digest
    yield f"state of {color}'s function", "Active", real.latest_state
    yield f"last update of {color}'s function", "Successful", real.last_update_status
    yield f"state of the version that {color} serves", "Active", real.state
    yield f"last update of the version that {color} serves", "Successful", real.update_status
    yield f"permission of the load balancer to call {color}", True, _may_call(color, expected, real)
    yield f"number of targets of {color}'s group", 1, len(real.targets)
    yield (
        f"alias that {color}'s group calls",
        True,
        all(target.endswith(f":{real.function_name}:live") for target in real.targets),
    )
    wanted = expected.configuration(after, color)
    yield from configuration_rows(f"{color}'s function", wanted, real.configuration)
    yield from configuration_rows(f"the version that {color} serves", wanted, real.alias_configuration)


def _may_call(color: Color, expected: Expectation, real: ColorReality) -> bool:
    return not real.callers.isdisjoint({expected.target_group_arn(color), "*"})


def _wanted_version(
    color: Color, expected: Expectation, reality: Reality, versions_before: Mapping[Color, str]
) -> str:
    newest = reality.color(color).newest_version
    if color in changed_colors(expected.transition, expected.before):
        return newest
    return versions_before.get(color, newest)


def _matters(color: Color, after: TrafficState, expected: Expectation) -> bool:
    return expected.transition is not Transition.ROLLBACK or after.receives_traffic(color)
