"""The guard's rules for a service's first apply, which creates everything.

There is no `before` to compare with, and the target groups' ARNs are not known yet. So the two colours have
to mirror each other, the two rules likewise, and the role is written out. What is there already, from a
set-up that did not finish, is left alone; verification reads all of it back.
"""

from collections.abc import Iterator, Mapping

from releases.domain.expectation import (
    PAIRED,
    PAIRED_TYPES,
    ROLE,
    ROLE_POLICY,
    TRAFFIC_RULE,
    Expectation,
    Refusal,
)
from releases.domain.guard_table import RECORDED, shown
from releases.domain.plan_configuration import alias_follows_function
from releases.domain.plan_views import (
    HEADERS,
    SOURCE_ADDRESSES,
    WEIGHTS,
    Attributes,
    attributes,
    marked_paths,
    same,
)
from releases.domain.traffic import Color
from terraform_runner.domain.plan import Plan, ResourceChange

# What AWS or the provider decides when the resource is created; anything else has to be known in the plan.
MAY_BE_UNKNOWN: Mapping[str, frozenset[str]] = {
    kind: frozenset(names.split())
    for kind, names in {
        "aws_iam_role": (
            "arn create_date id inline_policy managed_policy_arns name_prefix tags_all unique_id"
        ),
        "aws_iam_role_policy_attachment": "id",
        "aws_lambda_alias": "arn function_version id invoke_arn",
        "aws_lambda_function": (
            "arn code_sha256 id invoke_arn last_modified logging_config qualified_arn qualified_invoke_arn role "
            "signing_job_arn signing_profile_version_arn source_code_hash source_code_size tags_all version "
            "vpc_config.vpc_id"
        ),
        "aws_lambda_permission": "id source_arn statement_id_prefix",
        "aws_lb_listener_rule": "action.forward.target_group.arn action.order arn id tags_all",
        "aws_lb_target_group": (
            "arn arn_suffix connection_termination health_check id ip_address_type load_balancer_arns "
            "load_balancing_algorithm_type load_balancing_anomaly_mitigation load_balancing_cross_zone_enabled "
            "name_prefix preserve_client_ip protocol_version stickiness tags_all target_failover "
            "target_group_health target_health_state"
        ),
        "aws_lb_target_group_attachment": "id target_group_arn target_id",
    }.items()
}

# The attributes that end in the colour; all others are equal on both sides.
NAMED_BY_COLOR = frozenset(
    {
        ("aws_lambda_function", "function_name"),
        ("aws_lambda_alias", "function_name"),
        ("aws_lb_target_group", "name"),
        ("aws_lambda_permission", "function_name"),
        ("aws_lambda_permission", "statement_id"),
    }
)

# Lambda's own role and nobody else's: https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
ROLE_ATTRIBUTES: Mapping[str, object] = {
    "assume_role_policy": (
        '{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow",'
        '"Principal":{"Service":"lambda.amazonaws.com"}}],"Version":"2012-10-17"}'
    ),
    "description": None,
    "force_detach_policies": False,
    "max_session_duration": 3600,
    "path": "/",
    "permissions_boundary": None,
}
ROLE_POLICY_ARN = ":iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"

# The rules' own; all else is equal in every rule.
_ONLY_THEIRS = frozenset({"priority", SOURCE_ADDRESSES, HEADERS})

Changes = Mapping[str, ResourceChange]


def check(plan: Plan, expectation: Expectation) -> Iterator[Refusal]:
    """What is wrong with a set-up's resources; each is known to be there once, created or left alone."""
    prefix = expectation.module_prefix
    changes = {change.address.removeprefix(prefix): change for change in plan.resource_changes}
    created = {name: change for name, change in changes.items() if change.actions == ("create",)}
    for name, change in changes.items():
        yield from _check_created(change) if name in created else _check_left_alone(change)
    yield from _check_recorded(changes, expectation)
    for kind in PAIRED_TYPES:
        yield from _check_mirrored(created, kind)
    for position, rule in enumerate(expectation.canary_rules, start=1):
        yield from _check_rule(created.get(TRAFFIC_RULE), created.get(rule), position)
    yield from _check_role(created)
    for name in sorted(created.keys() & {f"aws_lambda_alias.{color}" for color in Color}):
        if not alias_follows_function(plan.configuration, prefix, PAIRED[name]):
            yield _refusal(created[name], "function_version", "is not set from its own function.")


def _check_created(change: ResourceChange) -> Iterator[Refusal]:
    if change.before is not None:
        yield _refusal(change, "", "would be created, though it is there.")
    for path in sorted(set(marked_paths(change.after_unknown)) - MAY_BE_UNKNOWN[change.type]):
        yield _refusal(change, path, "has to be known in the plan.")


def _check_left_alone(change: ResourceChange) -> Iterator[Refusal]:
    before, after = _attributes(change), attributes(change.type, change.before)
    if not same(before, after) or any(marked_paths(change.after_unknown)):
        yield _refusal(change, "", "differs, though Terraform says that nothing is done.")


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


def _check_mirrored(created: Changes, kind: str) -> Iterator[Refusal]:
    """A pair with one half there already can't be compared: what AWS decided is in one of them only."""
    blue, green = (created.get(f"{kind}.{color}") for color in (Color.BLUE, Color.GREEN))
    if blue is None or green is None:
        return
    if set(marked_paths(blue.after_unknown)) != set(marked_paths(green.after_unknown)):
        yield _refusal(green, "", "differs from blue's in what is unknown.")
    ours, theirs = _attributes(blue), _attributes(green)
    for attribute in sorted(ours.keys() | theirs.keys()):
        mirrored = ours.get(attribute)
        if (kind, attribute) in NAMED_BY_COLOR:
            mirrored = f"{str(mirrored).removesuffix('-blue')}-green"
        if not same(mirrored, theirs.get(attribute)):
            yield _refusal(green, attribute, "does not mirror blue's.")


def _check_rule(
    traffic: ResourceChange | None, canary: ResourceChange | None, position: int
) -> Iterator[Refusal]:
    """A rule of the canary, which is so many places before the traffic rule and else like it."""
    if traffic is None or canary is None:
        return
    ours, theirs = _attributes(traffic), _attributes(canary)
    for attribute in sorted((ours.keys() | theirs.keys()) - _ONLY_THEIRS):
        if not same(ours.get(attribute), theirs.get(attribute)):
            yield _refusal(canary, attribute, "differs from the traffic rule's.")
    if set(marked_paths(traffic.after_unknown)) != set(marked_paths(canary.after_unknown)):
        yield _refusal(canary, "", "differs from the traffic rule's in what is unknown.")
    theirs_at, ours_at = theirs.get("priority"), ours.get("priority")
    if not isinstance(theirs_at, int) or ours_at != theirs_at + position:
        places = "just" if position == 1 else f"{position} places"
        yield _refusal(canary, "priority", f"is not {places} before the traffic rule's.")


def _check_role(created: Changes) -> Iterator[Refusal]:
    """The role is Lambda's own, named after the service; it may do what AWS's policy for VPC access allows."""
    if role := created.get(ROLE):
        ours = _attributes(role)
        function = created.get("aws_lambda_function.blue")
        wanted = dict(ROLE_ATTRIBUTES)
        if function:
            name = str(_attributes(function).get("function_name")).removesuffix("-blue")
            wanted |= {"name": f"lambda_exec_{name}", "tags": _attributes(function).get("tags")}
        for attribute, value in wanted.items():
            if not same(ours.get(attribute), value):
                yield _refusal(role, attribute, "is not what the functions' role is made with.")
    if policy := created.get(ROLE_POLICY):
        if not str(_attributes(policy).get("policy_arn")).endswith(ROLE_POLICY_ARN):
            yield _refusal(policy, "policy_arn", "is another policy than Lambda's for VPC access.")
        if role and not same(_attributes(policy).get("role"), _attributes(role).get("name")):
            yield _refusal(policy, "role", "is another role than the service's.")


def _attributes(change: ResourceChange) -> Attributes:
    return attributes(change.type, change.after)


def _refusal(change: ResourceChange, attribute: str, reason: str) -> Refusal:
    return Refusal(address=change.address, attribute=attribute, reason=reason)
