"""Listeners of Application Load Balancers: what is found, which priorities their rules have, how full they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws.errors import in_words
from aws.session import Access, elbv2

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import RuleConditionOutputTypeDef, RuleTypeDef

# What a page may wait for: each load balancer's listeners are a call of their own.
MOST_LOAD_BALANCERS = 20


@dataclass(frozen=True, kw_only=True)
class Listener:
    """One port of a load balancer."""

    arn: str
    load_balancer_arn: str
    load_balancer_name: str
    port: int
    protocol: str


@dataclass(frozen=True, kw_only=True)
class ListenerRule:
    """A rule that is not the default: ``asks_for`` has its conditions in words, ``takes_all``: it asks for nothing."""

    arn: str
    priority: int
    asks_for: str
    takes_all: bool


def list_listeners(access: Access) -> list[Listener]:
    """The listeners of the region's Application Load Balancers, of the first twenty by name. Raises ``AwsError``."""
    client = elbv2(access)
    with in_words("list the load balancers"):
        pages = client.get_paginator("describe_load_balancers").paginate()
        balancers = [
            (one["LoadBalancerName"], one["LoadBalancerArn"])
            for page in pages
            for one in page["LoadBalancers"]
            if one.get("Type", "application") == "application"
        ]
    return [
        listener
        for name, arn in sorted(balancers)[:MOST_LOAD_BALANCERS]
        for listener in _listeners_of(access, name, arn)
    ]


def read_listener(access: Access, arn: str) -> Listener:
    """The listener with this ARN. Raises ``AwsError`` ("aws:listener-missing")."""
    with in_words(f"find the listener {arn[:300]}"):
        found = elbv2(access).describe_listeners(ListenerArns=[arn])["Listeners"][0]
    return Listener(
        arn=found["ListenerArn"],
        load_balancer_arn=found["LoadBalancerArn"],
        load_balancer_name=_name(found["LoadBalancerArn"]),
        port=found["Port"],
        protocol=found["Protocol"],
    )


def is_internet_facing(access: Access, listener_arn: str) -> bool:
    """Whether the listener's load balancer is on the internet, and not an internal one. Raises ``AwsError``."""
    arn = read_listener(access, listener_arn).load_balancer_arn
    with in_words(f"find the load balancer {_name(arn)}"):
        found = elbv2(access).describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]
    return found.get("Scheme") == "internet-facing"


def list_rules(access: Access, listener_arn: str) -> list[ListenerRule]:
    """A listener's rules by priority, without the default one. Raises ``AwsError``."""
    rules = (rule for rule in _describe_rules(access, listener_arn) if not rule["IsDefault"])
    return sorted(map(_rule, rules), key=lambda rule: rule.priority)


def count_target_groups(access: Access, load_balancer_arn: str) -> int:
    """How many target groups the rules of a load balancer forward to; it can have a hundred. Raises ``AwsError``."""
    listeners = _listeners_of(access, _name(load_balancer_arn), load_balancer_arn)
    rules = [rule for listener in listeners for rule in _describe_rules(access, listener.arn)]
    return len({arn for rule in rules for arn in _groups(rule)})


def _listeners_of(access: Access, name: str, load_balancer_arn: str) -> list[Listener]:
    with in_words(f"list the listeners of {name}"):
        pages = elbv2(access).get_paginator("describe_listeners").paginate(LoadBalancerArn=load_balancer_arn)
        found = [one for page in pages for one in page["Listeners"]]
    return [
        Listener(
            arn=one["ListenerArn"],
            load_balancer_arn=load_balancer_arn,
            load_balancer_name=name,
            port=one["Port"],
            protocol=one["Protocol"],
        )
        for one in sorted(found, key=lambda one: one["Port"])
    ]


def _describe_rules(access: Access, listener_arn: str) -> list["RuleTypeDef"]:
    with in_words(f"list the rules of the listener {listener_arn[:300]}"):
        pages = elbv2(access).get_paginator("describe_rules").paginate(ListenerArn=listener_arn)
        return [rule for page in pages for rule in page["Rules"]]


def _groups(rule: "RuleTypeDef") -> Iterator[str]:
    for action in rule["Actions"]:
        if "TargetGroupArn" in action:
            yield action["TargetGroupArn"]
        for group in action.get("ForwardConfig", {}).get("TargetGroups", []):
            yield group["TargetGroupArn"]


def _name(load_balancer_arn: str) -> str:
    """The name in "arn:aws:elasticloadbalancing:…:loadbalancer/app/name/50dc6c495c0c9188"."""
    return load_balancer_arn.split("/")[-2]


def _rule(rule: "RuleTypeDef") -> ListenerRule:
    asked = [_condition(condition) for condition in rule["Conditions"]]
    return ListenerRule(
        arn=rule["RuleArn"],
        priority=int(rule["Priority"]),
        asks_for="; ".join(asked) or "nothing",
        takes_all=all(condition in {"path-pattern /*", "path-pattern *"} for condition in asked),
    )


def _condition(condition: "RuleConditionOutputTypeDef") -> str:
    """A condition in words: "host-header shop.example.com". Values of a header may be secrets, and are left out."""
    if condition["Field"] == "http-header":
        return f"http-header {condition['HttpHeaderConfig']['HttpHeaderName']}"
    configs = {name: config for name, config in condition.items() if name.endswith("Config")}
    values = [*condition.get("Values", [])]
    for config in configs.values():
        values += [value for value in config.get("Values", []) if value not in values]  # type: ignore[attr-defined]
    return f"{condition['Field']} {', '.join(map(str, values))}".strip()
