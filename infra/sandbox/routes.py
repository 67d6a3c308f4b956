"""From what moto holds to routes: listener -> rules -> target group -> target -> alias -> version -> image.

Errors are AWS's: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import lambda_backends
from moto.elbv2.models import ELBv2Backend, FakeListener, FakeTargetGroup, elbv2_backends

from infra.sandbox.account import ACCOUNT_ID, REGION
from infra.sandbox.corrections import ImageFunction
from infra.sandbox.demo import LISTENER_PORT, LOAD_BALANCER
from infra.sandbox.routing import Header, Outcome, Route, error_outcome

PLAYED_TAG = "sandbox"
"""A load balancer with this tag, whatever its value, is played in the place of the demo's."""

_FIELDS = {"host-header": "hosts", "path-pattern": "paths", "source-ip": "source_ips"}


def read_routes() -> list[Route]:
    """Return the routes of the played listener, by priority, the default action last.

    There are none where somebody has removed the listener. A rule with a condition or an action that this load
    balancer doesn't know is left out.
    """
    listener = _find_listener()
    if listener is None:
        return []
    rules = sorted(listener.rules.values(), key=_order)
    return [route for rule in rules for route in _routes_of(rule)]


def _order(rule: Any) -> float:  # noqa: ANN401 - moto has two unrelated classes of rules
    return float("inf") if rule.is_default else float(rule.priority)


def _find_listener() -> FakeListener | None:
    """Return the HTTPS listener of a tagged load balancer, else the demo's listener."""
    backend = elbv2_backends[ACCOUNT_ID][REGION]
    listeners = [(one, own) for one in backend.load_balancers.values() for own in one.listeners.values()]
    played = [own for one, own in listeners if own.protocol == "HTTPS" and _is_tagged(backend, one.arn)]
    demo = [own for one, own in listeners if (one.name, int(own.port)) == (LOAD_BALANCER, LISTENER_PORT)]
    return next(iter([*played, *demo]), None)


def _is_tagged(backend: ELBv2Backend, arn: str) -> bool:
    return PLAYED_TAG in backend.tagging_service.get_tag_dict_for_resource(arn)


def _routes_of(rule: Any) -> Iterator[Route]:  # noqa: ANN401 - as above
    outcomes = tuple(outcome for action in rule.actions[-1:] for outcome in _outcomes_of(action.data))
    others = [condition for condition in rule.conditions if condition.get("Field") != "http-header"]
    if outcomes and all(condition.get("Field") in _FIELDS for condition in others):
        conditions = {_FIELDS[c["Field"]]: _values_of(c) for c in others}
        headers = tuple(_header_of(c) for c in rule.conditions if c not in others)
        yield Route(outcomes=outcomes, headers=headers, **conditions)


def _header_of(condition: dict[str, Any]) -> Header:
    config = condition["HttpHeaderConfig"]
    return Header(name=config["HttpHeaderName"], values=tuple(config["Values"]))


def _values_of(condition: dict[str, Any]) -> tuple[str, ...]:
    """Return a condition's values from either of the two places where the API takes them."""
    configs = [value for key, value in condition.items() if key.endswith("Config")]
    return tuple(configs[0]["Values"] if configs else condition["Values"])


def _outcomes_of(action: dict[str, Any]) -> Iterator[Outcome]:
    if action["Type"] == "fixed-response":
        fixed = action["FixedResponseConfig"]
        yield Outcome(
            status=int(fixed["StatusCode"]),
            content_type=fixed.get("ContentType") or "text/plain",
            body=fixed.get("MessageBody") or "",
        )
    elif action["Type"] == "forward":
        one_group = [action] if "TargetGroupArn" in action else []
        forward = action.get("ForwardConfig", {})
        for group in forward.get("TargetGroups") or one_group:
            outcome = _outcome_of(group["TargetGroupArn"], int(group.get("Weight", 1)))
            yield replace(outcome, sticky_seconds=_sticky_seconds(forward))


def _sticky_seconds(forward: dict[str, Any]) -> int:
    """How long a client stays with a target group; 0 where it doesn't. The API's form has "true" as a text."""
    stickiness = forward.get("TargetGroupStickinessConfig", {})
    enabled = str(stickiness.get("Enabled", False)).lower() == "true"
    return int(stickiness["DurationSeconds"]) if enabled else 0


def _outcome_of(target_group_arn: str, weight: int) -> Outcome:
    group = elbv2_backends[ACCOUNT_ID][REGION].target_groups.get(target_group_arn)
    if group is None or not group.targets:
        return error_outcome(503, target_group=target_group_arn, weight=weight)
    target_arn = next(iter(group.targets))  # a Lambda target group has exactly one
    function = _find_function(target_arn)
    if function is None or not _may_invoke(group, target_arn, function) or function.state == "Inactive":
        return error_outcome(502, target_group=target_group_arn, weight=weight)
    return Outcome(
        weight=weight,
        status=200,
        content_type="application/json",
        body=json.dumps(function.answer()),
        target_group=target_group_arn,
        function=function.function_name,
        digest=function.digest,
        color=function.color,
    )


def _find_function(target_arn: str) -> ImageFunction | None:
    """Return the version that a target's ARN (of an alias, a version or a function) stands for now."""
    try:
        function = lambda_backends[ACCOUNT_ID][REGION].get_function(target_arn)
    except UnknownFunctionException:
        return None
    return function if isinstance(function, ImageFunction) and function.package_type == "Image" else None


def _may_invoke(group: FakeTargetGroup, target_arn: str, function: ImageFunction) -> bool:
    """Say whether the function's policy lets the load balancer invoke exactly this target for this group."""
    return any(_allows(statement, group.arn, target_arn) for statement in function.policy.statements)


def _allows(statement: dict[str, Any], target_group_arn: str, target_arn: str) -> bool:
    condition = statement.get("Condition", {})
    source_arn = condition.get("ArnLike", {}).get("AWS:SourceArn", "*")
    source_account = condition.get("StringEquals", {}).get("AWS:SourceAccount", ACCOUNT_ID)
    return (
        statement["Effect"] == "Allow"
        and statement["Action"] == "lambda:InvokeFunction"
        and statement["Principal"] == {"Service": "elasticloadbalancing.amazonaws.com"}
        and statement["Resource"] == target_arn
        and fnmatchcase(target_group_arn, source_arn)
        and source_account == ACCOUNT_ID
    )
