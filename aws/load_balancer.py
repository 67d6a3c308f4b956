"""Rules of an Application Load Balancer: their weights are read and set here, nothing else of them is ever changed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from aws.errors import AwsError, in_words
from aws.session import Access, elbv2

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import (
        ActionOutputTypeDef,
        ActionTypeDef,
        RuleConditionOutputTypeDef,
        RuleTypeDef,
    )


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A listener's rule. ``weights`` are by target group ARN, of its forward; all are 0 to 999 in AWS's terms."""

    arn: str
    priority: int
    weights: Mapping[str, int]
    sticky: bool
    source_ips: frozenset[str]
    hostnames: frozenset[str]
    paths: frozenset[str]


def read_rules(access: Access, arns: Sequence[str]) -> dict[str, Rule]:
    """The rules with these ARNs, by one call. Raises ``AwsError`` ("aws:rule-missing" if one of them is gone)."""
    return {arn: _rule(found) for arn, found in _describe(access, arns).items()}


def set_weights(access: Access, rule_arn: str, weights: Mapping[str, int]) -> None:
    """Give the target groups of a rule's forward these weights (0 to 999, by ARN, not all 0).

    ``ModifyRule`` replaces the list of actions whole and keeps what isn't sent, so that only actions are sent: those
    that were read, with the weights changed (API reference of Elastic Load Balancing v2, ModifyRule). Stickiness is
    switched off where one group gets everything: a sticky client's cookie decides before the weight.

    Raises ``AwsError``, "aws:other-groups" if the rule forwards to other groups than these.
    """
    if not any(weights.values()):
        raise ValueError("All weights 0 would leave nobody to serve.")
    rule = _describe(access, [rule_arn])[rule_arn]
    actions = [_changed(action, weights) for action in rule["Actions"]]
    if sum("ForwardConfig" in action for action in actions) != 1 or _weights(rule).keys() != weights.keys():
        raise AwsError(
            "aws:other-groups",
            f"The rule {rule_arn} does not forward to the two target groups of this service: somebody changed it "
            "outside of Bluegreen, so it was left alone.",
        )
    with in_words("set the weights of a rule"):
        elbv2(access).modify_rule(RuleArn=rule_arn, Actions=cast("list[ActionTypeDef]", actions))


def registered_targets(access: Access, target_group_arn: str) -> tuple[str, ...]:
    """What is registered with a target group: of type ``lambda``, the ARN of a function or of its alias."""
    with in_words("read the targets of a target group"):
        answer = elbv2(access).describe_target_health(TargetGroupArn=target_group_arn)
    return tuple(one["Target"]["Id"] for one in answer["TargetHealthDescriptions"])


def _describe(access: Access, arns: Sequence[str]) -> dict[str, "RuleTypeDef"]:
    with in_words("read rules of the load balancer"):
        answer = elbv2(access).describe_rules(RuleArns=list(arns))
    found = {rule["RuleArn"]: rule for rule in answer["Rules"]}
    for arn in arns:
        if arn not in found:
            raise AwsError("aws:rule-missing", f"The load balancer does not have the rule {arn} any more.")
    return found


def _changed(action: Mapping[str, Any], weights: Mapping[str, int]) -> Mapping[str, Any]:
    """The action as it is to be sent: what AWS answers is not quite what it takes."""
    if "AuthenticateOidcConfig" in action:
        # The client secret isn't returned.
        return {
            **action,
            "AuthenticateOidcConfig": {**action["AuthenticateOidcConfig"], "UseExistingClientSecret": True},
        }
    if "ForwardConfig" not in action:
        return action
    forward = action["ForwardConfig"]
    stickiness = dict(forward.get("TargetGroupStickinessConfig", {}))
    if sum(weight > 0 for weight in weights.values()) == 1:
        stickiness = {"Enabled": False}
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    # A plain TargetGroupArn beside the ForwardConfig is only for forwards to one group.
    rest = {name: value for name, value in action.items() if name != "TargetGroupArn"}
    return {**rest, "ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": stickiness}}


def _rule(rule: "RuleTypeDef") -> Rule:
    conditions = rule["Conditions"]
    return Rule(
        arn=rule["RuleArn"],
        priority=int(rule["Priority"]),
        weights=_weights(rule),
        sticky=any(
            action.get("ForwardConfig", {}).get("TargetGroupStickinessConfig", {}).get("Enabled", False)
            for action in rule["Actions"]
        ),
        source_ips=_values(conditions, "source-ip", "SourceIpConfig"),
        hostnames=_values(conditions, "host-header", "HostHeaderConfig"),
        paths=_values(conditions, "path-pattern", "PathPatternConfig"),
    )


def _weights(rule: "RuleTypeDef") -> dict[str, int]:
    return {arn: weight for action in rule["Actions"] for arn, weight in _forwarded(action)}


def _forwarded(action: "ActionOutputTypeDef") -> Iterator[tuple[str, int]]:
    """A forward to one group may be written without a ForwardConfig."""
    if "ForwardConfig" in action:
        for group in action["ForwardConfig"].get("TargetGroups", []):
            yield group["TargetGroupArn"], group.get("Weight", 1)
    elif action["Type"] == "forward" and "TargetGroupArn" in action:
        yield action["TargetGroupArn"], 1


def _values(conditions: Iterable["RuleConditionOutputTypeDef"], field: str, config: str) -> frozenset[str]:
    found: list[Any] = [condition for condition in conditions if condition.get("Field") == field]
    return frozenset(value for condition in found for value in condition.get(config, {}).get("Values", []))
