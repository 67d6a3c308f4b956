"""Rules of an Application Load Balancer: their weights are read and set here, nothing else of them is changed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from aws.errors import AwsError, in_words
from aws.session import Access, elbv2

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import (
        ActionOutputTypeDef,
        ActionTypeDef,
        ForwardActionConfigOutputTypeDef,
        RuleConditionOutputTypeDef,
        RuleTypeDef,
    )

MAX_WEIGHT = 999
_KNOWN_CONDITIONS = {"source-ip", "host-header", "path-pattern", "http-header"}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A listener's rule. ``weights`` are those of its forward, 0 to 999 by target group ARN.

    ``stickiness_seconds`` is how long a client is kept on the group that it came to first, 0 for not at all;
    ``headers`` are the values that are asked for, by the header's name. ``other_conditions`` names the kinds of
    condition ("query-string", …) that Bluegreen never makes: a rule that has one doesn't see all requests.
    """

    arn: str
    priority: int
    weights: Mapping[str, int]
    stickiness_seconds: int
    source_ips: frozenset[str]
    hostnames: frozenset[str]
    paths: frozenset[str]
    headers: Mapping[str, frozenset[str]] = field(repr=False)
    other_conditions: frozenset[str]


def read_rules(access: Access, arns: Sequence[str]) -> dict[str, Rule]:
    """The rules with these ARNs, by one call. Raises ``AwsError`` ("aws:rule-missing" if one of them is gone)."""
    return {arn: _rule(found) for arn, found in _describe(access, arns).items()}


def set_weights(access: Access, rule_arn: str, weights: Mapping[str, int]) -> None:
    """Give the target groups of a rule's forward these weights (0 to 999, by ARN, not all 0).

    ``ModifyRule`` replaces the list of actions whole and keeps what isn't sent, so only actions are sent: those that
    were read, in their order, with the weights changed (Elastic Load Balancing v2 API reference, ModifyRule).
    Stickiness is switched off where one group gets everything: a sticky client's cookie decides before the weight.
    What is set is not read back: ``read_rules`` does that.

    Raises ``AwsError``, "aws:other-groups" if the rule forwards to any other group, or doesn't forward. (One that
    forwards to one of these groups only gets the other one back.)
    """
    _refuse_impossible(weights)
    actions = _describe(access, [rule_arn])[rule_arn]["Actions"]
    groups = {arn for action in actions for arn, _ in _forwarded(action)}
    if not groups or not groups <= weights.keys():
        raise AwsError(
            "aws:other-groups",
            f"The rule {rule_arn} does not forward to the two target groups of this service: somebody changed it "
            "outside of Bluegreen, so it was left alone. Let it forward to them again, then try again.",
        )
    changed = [_to_send(action, weights) for action in actions]
    with in_words("set the weights of a rule"):
        elbv2(access).modify_rule(RuleArn=rule_arn, Actions=cast("list[ActionTypeDef]", changed))


def registered_targets(access: Access, target_group_arn: str) -> tuple[str, ...]:
    """What is registered with a target group: of type ``lambda``, the ARN of a function or of its alias."""
    with in_words("read the targets of a target group"):
        answer = elbv2(access).describe_target_health(TargetGroupArn=target_group_arn)
    return tuple(one["Target"]["Id"] for one in answer["TargetHealthDescriptions"])


def _describe(access: Access, arns: Sequence[str]) -> dict[str, "RuleTypeDef"]:
    """AWS refuses the call if one of the rules isn't there."""
    with in_words(f"read the load balancer's rules {', '.join(arns)}"):
        answer = elbv2(access).describe_rules(RuleArns=list(arns))
    return {rule["RuleArn"]: rule for rule in answer["Rules"]}


def _refuse_impossible(weights: Mapping[str, int]) -> None:
    if not any(weights.values()):
        raise ValueError("All weights 0 would leave nobody to serve.")
    if not all(0 <= weight <= MAX_WEIGHT for weight in weights.values()):
        raise ValueError(f"A weight is 0 to {MAX_WEIGHT}: {dict(weights)}")


def _to_send(action: "ActionOutputTypeDef", weights: Mapping[str, int]) -> Mapping[str, Any]:
    """The action as it is to be sent: what AWS answers is not quite what it takes."""
    if action["Type"] == "authenticate-oidc":
        # The client secret isn't returned.
        oidc = {**action["AuthenticateOidcConfig"], "UseExistingClientSecret": True}
        return {**action, "AuthenticateOidcConfig": oidc}
    if action["Type"] != "forward":
        return action
    forward: dict[str, Any] = {
        **action.get("ForwardConfig", {}),
        "TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()],
    }
    is_split = sum(weight > 0 for weight in weights.values()) > 1
    if "TargetGroupStickinessConfig" in forward and not is_split:
        # Without its seconds, which mean nothing then: Terraform would find them, and want them away.
        forward["TargetGroupStickinessConfig"] = {"Enabled": False}
    # A TargetGroupArn beside the ForwardConfig is for forwards to one group only.
    rest = {name: value for name, value in action.items() if name != "TargetGroupArn"}
    return {**rest, "ForwardConfig": forward}


def _rule(rule: "RuleTypeDef") -> Rule:
    conditions = rule["Conditions"]
    forwards = [action.get("ForwardConfig", {}) for action in rule["Actions"]]
    return Rule(
        arn=rule["RuleArn"],
        priority=int(rule["Priority"]),
        weights={arn: weight for action in rule["Actions"] for arn, weight in _forwarded(action)},
        stickiness_seconds=sum(map(_stickiness_seconds, forwards)),
        source_ips=_values(conditions, "source-ip", "SourceIpConfig"),
        hostnames=_values(conditions, "host-header", "HostHeaderConfig"),
        paths=_values(conditions, "path-pattern", "PathPatternConfig"),
        headers=_headers(conditions),
        other_conditions=frozenset(one["Field"] for one in conditions) - _KNOWN_CONDITIONS,
    )


def _stickiness_seconds(forward: "ForwardActionConfigOutputTypeDef") -> int:
    config = forward.get("TargetGroupStickinessConfig", {})
    return config.get("DurationSeconds", 0) if config.get("Enabled", False) else 0


def _headers(conditions: Iterable["RuleConditionOutputTypeDef"]) -> dict[str, frozenset[str]]:
    configs = [one.get("HttpHeaderConfig", {}) for one in conditions if one["Field"] == "http-header"]
    return {config.get("HttpHeaderName", ""): frozenset(config.get("Values", [])) for config in configs}


def _forwarded(action: "ActionOutputTypeDef") -> Iterator[tuple[str, int]]:
    """A forward to one group may be written without a ForwardConfig."""
    if "ForwardConfig" in action:
        for group in action["ForwardConfig"].get("TargetGroups", []):
            yield group["TargetGroupArn"], group.get("Weight", 1)
    elif "TargetGroupArn" in action:
        yield action["TargetGroupArn"], 1


def _values(conditions: Iterable["RuleConditionOutputTypeDef"], field: str, config: str) -> frozenset[str]:
    """Hosts and paths may also be written in the older way, without a config."""
    found: list[Any] = [condition for condition in conditions if condition["Field"] == field]
    return frozenset(
        value
        for condition in found
        for value in (*condition.get("Values", []), *condition.get(config, {}).get("Values", []))
    )
