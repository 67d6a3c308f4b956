"""The guard's rules for other settings: what rules ask for, their priorities, tags, logs, concurrency; nothing else.

A settings run may change these attributes, and make what was not there before: rules that match nobody yet, log groups,
concurrency. What it makes has no `before`, and is compared with what is there beside it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from releases.domain.canary import CanaryHeader, header_of
from releases.domain.plans.expectation import (
    CANARY_RULE,
    CANARY_RULES,
    CONCURRENCY,
    HEADER_RULE,
    LOG_GROUPS,
    SLOT_RULES,
    TRAFFIC_RULE,
    Expectation,
    Refusal,
)
from releases.domain.plans.plan_views import (
    HEADERS,
    RULE,
    SOURCE_ADDRESSES,
    STICKINESS,
    WEIGHTS,
    Attributes,
    Missing,
    attributes,
    attributes_after,
    condition_values,
    marked_paths,
    same,
)
from releases.domain.provisioning.log_groups import newly_managed
from releases.domain.provisioning.settings import EVERY_REQUEST, Settings
from releases.domain.traffic import NOBODY, Transition
from terraform_runner.domain.plan import Plan, ResourceChange

LOG_GROUP, CONCURRENCY_CONFIG = "aws_cloudwatch_log_group", "aws_lambda_provisioned_concurrency_config"
_TAGGED = (RULE, LOG_GROUP, "aws_lambda_function", "aws_lb_target_group", "aws_iam_role")

# What AWS decides when it makes them.
MAY_BE_UNKNOWN: Mapping[str, frozenset[str]] = {
    RULE: frozenset({"action.order", "arn", "id", "tags_all"}),
    LOG_GROUP: frozenset({"arn", "id", "log_group_class", "name_prefix", "tags_all"}),
    CONCURRENCY_CONFIG: frozenset({"id"}),
}

Reading = Callable[[str, Settings], Any]
"""What an attribute has to be by the settings, of the resource with this name in the module."""

READINGS: Mapping[tuple[str, str], Reading] = {
    **{
        (kind, attribute): lambda name, wanted: dict(wanted.tags)
        for kind in _TAGGED
        for attribute in ("tags", "tags_all")
    },
    (RULE, "condition"): lambda name, wanted: _asked_by(wanted),
    (RULE, "priority"): lambda name, wanted: _priority(name, wanted),
    (LOG_GROUP, "retention_in_days"): lambda name, wanted: wanted.log_retention_days,
    (CONCURRENCY_CONFIG, "provisioned_concurrent_executions"): lambda name, wanted: (
        wanted.provisioned_concurrency
    ),
}


def may_change(expectation: Expectation, change: ResourceChange, attribute: str) -> bool:
    """Whether this plan may change an attribute because the settings say so; :func:`check` says to what."""
    by_header = (_name(expectation, change), attribute) == (HEADER_RULE, HEADERS)
    return applies_to(expectation) and (by_header or (change.type, attribute) in READINGS)


def may_make_or_end(expectation: Expectation, change: ResourceChange) -> bool:
    """Whether this plan makes a resource for the settings, or ends one that nothing depends on."""
    if not applies_to(expectation) or change.actions not in {("create",), ("delete",)}:
        return False
    name, settings = _name(expectation, change), expectation.settings
    wanted = settings.after if settings else Settings()
    if change.actions == ("delete",):
        return name in CONCURRENCY and wanted.provisioned_concurrency == 0
    return (
        name in SLOT_RULES[1 : wanted.canary_slots]
        or (name == HEADER_RULE and wanted.has_header)
        or (name in LOG_GROUPS and wanted.log_retention_days is not None)
        or (name in CONCURRENCY and wanted.provisioned_concurrency > 0)
    )


def may_import(expectation: Expectation, change: ResourceChange) -> bool:
    """Whether this plan takes over what is there already under the service's own name.

    A log group that Lambda or somebody else has made, or what an interrupted set-up has made.
    """
    own = {**newly_managed(expectation), **expectation.unfinished}
    name = own.get(_name(expectation, change))
    may_be_updated = change.actions in {("no-op",), ("update",)}
    return change.importing is not None and change.importing == name and may_be_updated


def applies_to(expectation: Expectation) -> bool:
    """Whether the plan is a settings run's, or finishes one that an emergency rollback has overtaken."""
    settings = expectation.settings
    if settings is None:
        return False
    finishes = expectation.transition is Transition.ROLLBACK and settings.begun is not None
    return expectation.transition is Transition.SETTINGS or finishes


def check(plan: Plan, expectation: Expectation) -> Iterator[Refusal]:
    """What is wrong with the settings that a plan leaves; its resources are known to be the service's."""
    changes = {_name(expectation, change): change for change in plan.resource_changes}
    for name, change in changes.items():
        if change.mode == "managed" and change.actions != ("delete",):
            yield from check_settings(name, change, expectation)
            yield from _check_header(name, change, expectation)
        if change.actions == ("create",):
            yield from _check_made(name, change, changes, expectation)


def check_settings(name: str, change: ResourceChange, expectation: Expectation) -> Iterator[Refusal]:
    """What of one resource does not follow from the settings, before or after; ``name`` is its name in the module."""
    before, after = _view(change, after=False), _view(change, after=True)
    for (kind, attribute), reading in READINGS.items():
        if kind != change.type or expectation.settings is None:
            continue
        wanted = reading(name, expectation.settings.after)
        starts = [reading(name, start) for start in expectation.settings.starts]
        known_later = wanted == {} and _known_later(change, attribute, after)
        if not same(after.get(attribute), wanted) and not known_later:
            yield _refusal(change, attribute, "would not be what was asked for.")
        if (
            before
            and not change.importing
            and not any(same(before.get(attribute), start) for start in starts)
        ):
            yield _refusal(change, attribute, "was changed outside of Bluegreen.")


def _check_header(name: str, change: ResourceChange, expectation: Expectation) -> Iterator[Refusal]:
    """No value is told, of whatever header."""
    settings = expectation.settings
    if name != HEADER_RULE or settings is None:
        return
    starts = [header_of(start, expectation.revealed) for start in settings.starts]
    before, after = _view(change, after=False), _view(change, after=True)
    if not same(after.get(HEADERS), _asked_header(expectation.header(name))):
        yield _refusal(change, HEADERS, "would not be what was asked for.")
    if before and not any(same(before.get(HEADERS), _asked_header(start)) for start in starts):
        yield _refusal(change, HEADERS, "was changed outside of Bluegreen.")


def _check_made(
    name: str, change: ResourceChange, changes: Mapping[str, ResourceChange], expectation: Expectation
) -> Iterator[Refusal]:
    if change.before is not None:
        yield _refusal(change, "", "would be created, though it is there.")
    for path in sorted(
        set(marked_paths(change.after_unknown)) - MAY_BE_UNKNOWN.get(change.type, frozenset())
    ):
        yield _refusal(change, path, "has to be known in the plan.")
    found = _view(change, after=True)
    for attribute, wanted in _wanted_of_made(name, changes).items():
        if not same(found.get(attribute), wanted):
            yield _refusal(change, attribute, "is not what a new one begins with.")


def _wanted_of_made(name: str, changes: Mapping[str, ResourceChange]) -> dict[str, Any]:
    if name in CANARY_RULES:
        beside = _view(changes[CANARY_RULE], after=True)
        alike = {"listener_arn", WEIGHTS, STICKINESS} | ({HEADERS} if name in SLOT_RULES else set())
        return {**{attribute: beside.get(attribute) for attribute in alike}, SOURCE_ADDRESSES: [[NOBODY]]}
    color = name.partition(".")[2].partition("[")[0]
    function = (changes[f"aws_lambda_function.{color}"].before or {}).get("function_name")
    if name in LOG_GROUPS:
        return {"name": f"/aws/lambda/{function}", "kms_key_id": None, "skip_destroy": False}
    return {"function_name": function, "qualifier": "live", "skip_destroy": False}


def _view(change: ResourceChange, *, after: bool) -> Attributes:
    """A resource with its conditions as lists of hosts and paths, and without the difference of no tags and none."""
    if after:
        view = attributes_after(change.type, change.after, change.after_unknown)
    else:
        view = attributes(change.type, change.before)
    if not view:
        return view
    if change.type == RULE and isinstance(view["condition"], list):
        view["condition"] = _asked(view["condition"])
    return view | {name: view[name] or {} for name in ("tags", "tags_all") if name in view}


def _asked(conditions: list[Mapping[str, Any]]) -> list[object]:
    kinds = {kind for condition in conditions for kind, value in condition.items() if value}
    others = sorted(kinds - {"host_header", "path_pattern"})
    return [condition_values(conditions, "host_header"), condition_values(conditions, "path_pattern"), others]


def _asked_by(settings: Settings) -> list[object]:
    hosts, paths = sorted(settings.hostnames), sorted(settings.paths)
    if not hosts and not paths:
        paths = [EVERY_REQUEST]
    return [[hosts] if hosts else [], [paths] if paths else [], []]


def _asked_header(header: CanaryHeader | None) -> list[object]:
    return [[header.name, [header.value]]] if header else []


def _priority(name: str, settings: Settings) -> int:
    if name == TRAFFIC_RULE:
        return settings.priority
    before = settings.canary_slots + 1 if name == HEADER_RULE else SLOT_RULES.index(name) + 1
    return settings.priority - before


def _known_later(change: ResourceChange, attribute: str, after: Attributes) -> bool:
    """All tags of what is made are known only when it is there, where it has none of its own."""
    return (
        change.actions == ("create",) and attribute == "tags_all" and after.get(attribute) is Missing.UNKNOWN
    )


def _name(expectation: Expectation, change: ResourceChange) -> str:
    return change.address.removeprefix(expectation.module_prefix)


def _refusal(change: ResourceChange, attribute: str, reason: str) -> Refusal:
    return Refusal(address=change.address, attribute=attribute, reason=reason)
