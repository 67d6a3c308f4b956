"""The guard's rules for a service's first apply, which creates everything.

There is no `before` to compare with, and the target groups' ARNs are not known yet. So what is made has to be what the
blueprint and the settings say, and the two colours, and the rules, have to mirror each other. What is there already,
from a set-up that did not finish, is left alone; verification reads all of it back.
"""

from collections.abc import Iterator, Mapping

from releases.domain.plans import guard_role
from releases.domain.plans.expectation import (
    CONCURRENCY,
    LOG_GROUPS,
    PAIRED,
    PAIRED_TYPES,
    ROLE,
    ROLE_POLICIES,
    TRAFFIC_RULE,
    Expectation,
    Refusal,
)
from releases.domain.plans.guard_settings import CONCURRENCY_CONFIG, LOG_GROUP, READINGS, check_settings
from releases.domain.plans.guard_settings import MAY_BE_UNKNOWN as OF_SETTINGS
from releases.domain.plans.guard_table import RECORDED, shown
from releases.domain.plans.plan_configuration import alias_follows_function
from releases.domain.plans.plan_views import (
    HEADERS,
    SOURCE_ADDRESSES,
    WEIGHTS,
    Attributes,
    attributes,
    attributes_after,
    marked_paths,
    same,
)
from releases.domain.provisioning.blueprint import Blueprint
from releases.domain.provisioning.settings import Settings
from releases.domain.traffic import Color
from terraform_runner.domain.plan import Plan, ResourceChange

GROUP = "aws_lb_target_group"

# What AWS or the provider decides when the resource is created; anything else has to be known in the plan.
MAY_BE_UNKNOWN: Mapping[str, frozenset[str]] = {
    **OF_SETTINGS,
    **{
        kind: frozenset(names.split())
        for kind, names in {
            "aws_iam_role": (
                "arn create_date id inline_policy managed_policy_arns name_prefix tags_all unique_id"
            ),
            "aws_iam_role_policy": "id name_prefix",
            "aws_iam_role_policy_attachment": "id",
            "aws_lambda_alias": "arn function_version id invoke_arn",
            "aws_lambda_function": (
                "arn code_sha256 id invoke_arn last_modified logging_config qualified_arn qualified_invoke_arn "
                "role signing_job_arn signing_profile_version_arn source_code_hash source_code_size tags_all "
                "version vpc_config.vpc_id"
            ),
            "aws_lambda_permission": "id source_arn statement_id_prefix",
            "aws_lb_listener_rule": "action.forward.target_group.arn action.order arn id tags_all",
            GROUP: (
                "arn arn_suffix connection_termination health_check id ip_address_type load_balancer_arns "
                "load_balancing_algorithm_type load_balancing_anomaly_mitigation "
                "load_balancing_cross_zone_enabled name_prefix preserve_client_ip protocol_version stickiness "
                "tags_all target_failover target_group_health target_health_state"
            ),
            "aws_lb_target_group_attachment": "id target_group_arn target_id",
        }.items()
    },
}

# What follows from another resource of the same colour: known where an earlier try has made that one.
_FROM_ANOTHER: Mapping[tuple[str, str], tuple[str, str]] = {
    ("aws_lambda_alias", "function_version"): ("aws_lambda_function", "version"),
    ("aws_lambda_permission", "source_arn"): (GROUP, "arn"),
    ("aws_lb_target_group_attachment", "target_group_arn"): (GROUP, "arn"),
    ("aws_lb_target_group_attachment", "target_id"): ("aws_lambda_alias", "arn"),
}

# The rules' own; all else is equal in every rule.
_ONLY_THEIRS = frozenset({"priority", SOURCE_ADDRESSES, HEADERS, WEIGHTS})

Changes = Mapping[str, ResourceChange]


def check(plan: Plan, expectation: Expectation) -> Iterator[Refusal]:
    """What is wrong with a set-up's resources; each is known to be there once, created or left alone."""
    if expectation.blueprint is None or expectation.settings is None:
        yield Refusal(address="", attribute="", reason="Nobody has said what the service is made with.")
        return
    prefix, blueprint = expectation.module_prefix, expectation.blueprint
    managed = [change for change in plan.resource_changes if change.mode == "managed"]
    changes = {change.address.removeprefix(prefix): change for change in managed}
    created = {name: change for name, change in changes.items() if change.actions == ("create",)}
    taken_over = {name: change for name, change in changes.items() if name in expectation.unfinished}
    made = {**created, **{name: change for name, change in taken_over.items() if change.importing}}
    yield from _check_presence(changes, expectation, blueprint, expectation.settings.after)
    for name, change in changes.items():
        yield from _check_made(change, blueprint) if name in made else _check_found(change)
        yield from check_settings(name, change, expectation)
    yield from _check_recorded(changes, expectation)
    yield from _check_links(changes, made)
    for kind in (*PAIRED_TYPES, LOG_GROUP, CONCURRENCY_CONFIG):
        yield from _check_mirrored(created, kind, blueprint)
    for rule in expectation.canary_rules:
        yield from _check_rule(created.get(TRAFFIC_RULE), created.get(rule))
    yield from guard_role.check(made, blueprint)
    for name in sorted(made.keys() & {f"aws_lambda_alias.{color}" for color in Color}):
        if not alias_follows_function(plan.configuration, prefix, PAIRED[name]):
            yield _refusal(made[name], "function_version", "is not set from its own function.")


def _check_presence(
    changes: Changes, expectation: Expectation, blueprint: Blueprint, wanted: Settings
) -> Iterator[Refusal]:
    """Only what was asked for is made beside what every service has."""
    role = blueprint.role
    optional = {ROLE: not role.arn}
    optional |= {name: not role.arn and rights is role.rights for rights, name in ROLE_POLICIES.items()}
    optional |= dict.fromkeys(LOG_GROUPS, wanted.log_retention_days is not None)
    optional |= dict.fromkeys(CONCURRENCY, wanted.provisioned_concurrency > 0)
    for name, is_wanted in sorted(optional.items()):
        if is_wanted != (name in changes):
            reason = "is missing: the service was to have it." if is_wanted else "was not asked for."
            yield Refusal(address=expectation.module_prefix + name, attribute="", reason=reason)


def _check_made(change: ResourceChange, blueprint: Blueprint) -> Iterator[Refusal]:
    """What is made now, or was by an earlier try and is brought to what was asked for."""
    if change.before is not None and not change.importing:
        yield _refusal(change, "", "would be created, though it is there.")
    may_be_unknown = MAY_BE_UNKNOWN.get(change.type, frozenset())
    for path in sorted(set(marked_paths(change.after_unknown)) - may_be_unknown):
        yield _refusal(change, path, "has to be known in the plan.")
    found = _attributes(change)
    for attribute, wanted in blueprint.written_out(change.type, change.name).items():
        if not same(found.get(attribute), wanted):
            yield _refusal(change, attribute, "is not what the service's is made as.")


def _check_found(change: ResourceChange) -> Iterator[Refusal]:
    """What is there already stays as it is; a log group that is taken over gets what the settings say."""
    before, after = attributes(change.type, change.before), _attributes(change)
    if change.importing:
        settable = {attribute for kind, attribute in READINGS if kind == change.type}
        before, after = (
            {attribute: value for attribute, value in view.items() if attribute not in settable}
            for view in (before, after)
        )
    if not same(before, after) or any(marked_paths(change.after_unknown)):
        nothing_done = "differs, though Terraform says that nothing is done."
        reason = "would change in what is no setting." if change.importing else nothing_done
        yield _refusal(change, "", reason)


def _check_recorded(changes: Changes, expectation: Expectation) -> Iterator[Refusal]:
    for (name, attribute), reading in RECORDED.items():
        if name not in changes:
            continue
        found = _attributes(changes[name]).get(attribute, [])
        wanted = reading(expectation, expectation.after)
        if attribute == WEIGHTS:
            # Which group is which is not known yet: verification reads it back.
            found, wanted = sorted(str(weight) for _, weight in found), ["0", "100"]
        if not same(found, wanted):
            shall, is_now = shown(wanted, found, expectation)
            yield _refusal(changes[name], attribute, f"shall be {shall}, and the plan makes it {is_now}.")


def _check_links(changes: Changes, made: Changes) -> Iterator[Refusal]:
    """What is made leads to the service's own resources: to those that are there, or that are made with it."""
    for change in made.values():
        for (kind, attribute), (other, of_other) in _FROM_ANOTHER.items():
            if kind != change.type:
                continue
            wanted = _after(changes[f"{other}.{change.name}"]).get(of_other)
            found = _after(change).get(attribute)
            if not same(found, wanted):
                yield _refusal(change, attribute, "does not lead to the service's own resources.")
        groups = {(changes[f"{GROUP}.{color}"].before or {}).get("arn") for color in Color}
        if not {arn for arn, _ in _attributes(change).get(WEIGHTS, ())} <= groups:
            yield _refusal(change, WEIGHTS, "would go to target groups that are not the service's.")


def _check_mirrored(created: Changes, kind: str, blueprint: Blueprint) -> Iterator[Refusal]:
    """A pair with one half there already can't be compared: what AWS decided is in one of them only."""
    pair = {change.name: change for change in created.values() if change.type == kind}
    if len(pair) < len(Color):
        return
    blue, green = (pair[color] for color in Color)
    others = {attribute for of, attribute in _FROM_ANOTHER if of == kind}
    if set(marked_paths(blue.after_unknown)) - others != set(marked_paths(green.after_unknown)) - others:
        yield _refusal(green, "", "differs from blue's in what is unknown.")
    ours, theirs = _attributes(blue), _attributes(green)
    compared = (ours.keys() | theirs.keys()) - others - blueprint.written_out(kind, "").keys()
    for attribute in sorted(compared):
        if not same(ours.get(attribute), theirs.get(attribute)):
            yield _refusal(green, attribute, "does not mirror blue's.")


def _check_rule(traffic: ResourceChange | None, canary: ResourceChange | None) -> Iterator[Refusal]:
    """A rule of the canary, which is like the traffic rule but for whom it asks for, and where it stands."""
    if traffic is None or canary is None:
        return
    ours, theirs = _attributes(traffic), _attributes(canary)
    for attribute in sorted((ours.keys() | theirs.keys()) - _ONLY_THEIRS):
        if not same(ours.get(attribute), theirs.get(attribute)):
            yield _refusal(canary, attribute, "differs from the traffic rule's.")
    if set(marked_paths(traffic.after_unknown)) != set(marked_paths(canary.after_unknown)):
        yield _refusal(canary, "", "differs from the traffic rule's in what is unknown.")


def _attributes(change: ResourceChange) -> Attributes:
    return attributes(change.type, change.after)


def _after(change: ResourceChange) -> Attributes:
    return attributes_after(change.type, change.after, change.after_unknown)


def _refusal(change: ResourceChange, attribute: str, reason: str) -> Refusal:
    return Refusal(address=change.address, attribute=attribute, reason=reason)
