"""A service as the module makes it (two functions, aliases, groups, one rule), made by boto3."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import requests
from botocore.config import Config

from infra.sandbox.info import SandboxInfo

ALIAS = "live"


def client(info: SandboxInfo, name: Any, *, tries_again: bool = True) -> Any:
    """One that does not try again tells of the very first answer."""
    once = None if tries_again else Config(retries={"total_max_attempts": 1})
    return boto3.client(
        name,
        config=once,
        endpoint_url=info.endpoint_url,
        region_name=info.region,
        aws_access_key_id=info.access_key_id,
        aws_secret_access_key=info.secret_access_key,
    )


@dataclass(frozen=True, kw_only=True)
class Service:
    """`host` is what the traffic rule asks for."""

    info: SandboxInfo
    host: str
    rule_arn: str
    groups: dict[str, str]
    targets: dict[str, str]
    functions: dict[str, str]

    def set_weights(self, *, sticky_seconds: int = 0, **weights: int) -> None:
        forward: dict[str, Any] = {
            "TargetGroups": [
                {"TargetGroupArn": self.groups[color], "Weight": weight} for color, weight in weights.items()
            ]
        }
        if sticky_seconds:
            forward["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": sticky_seconds}
        client(self.info, "elbv2").modify_rule(
            RuleArn=self.rule_arn, Actions=[{"Type": "forward", "ForwardConfig": forward}]
        )

    def get(self, url: str | None = None, *, headers: Mapping[str, str] = {}) -> requests.Response:
        return requests.get((url or self.info.url) + "/", headers={"host": self.host, **headers}, timeout=10)


def make_service(
    info: SandboxInfo, name: str, *, priority: int, host: str = "", permissions: bool = True
) -> Service:
    """Make a service with blue (image `blue`) and green (image `green`), all traffic on blue."""
    role = make_role(info, name)
    functions = {color: f"{name}-{color}" for color in ("blue", "green")}
    groups, targets = {}, {}
    for color, function in functions.items():
        make_function(info, function, role, info.images[color])
        groups[color], targets[color] = make_target_group(info, function)
        if permissions:
            permit(info, function, groups[color])
    host = host or f"{name}.example.com"
    rule = client(info, "elbv2").create_rule(
        ListenerArn=info.listener_arn,
        Priority=priority,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": [host]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": groups["blue"]}],
    )["Rules"][0]
    return Service(
        info=info, host=host, rule_arn=rule["RuleArn"], groups=groups, targets=targets, functions=functions
    )


def make_role(info: SandboxInfo, name: str) -> str:
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = client(info, "iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy)["Role"]
    return str(role["Arn"])


def make_function(info: SandboxInfo, name: str, role: str, image: str) -> None:
    functions = client(info, "lambda")
    functions.create_function(
        FunctionName=name, Role=role, PackageType="Image", Code={"ImageUri": image}, Timeout=30, Publish=True
    )
    functions.create_alias(FunctionName=name, Name=ALIAS, FunctionVersion="1")


def make_target_group(info: SandboxInfo, function: str) -> tuple[str, str]:
    """Return the ARNs of a group and of its target, the function's alias."""
    balancing = client(info, "elbv2")
    group = balancing.create_target_group(Name=function, TargetType="lambda")["TargetGroups"][0][
        "TargetGroupArn"
    ]
    target = f"arn:aws:lambda:{info.region}:{info.account_id}:function:{function}:{ALIAS}"
    balancing.register_targets(TargetGroupArn=group, Targets=[{"Id": target}])
    return group, target


def permit(info: SandboxInfo, function: str, source_arn: str, *, qualifier: str = ALIAS) -> None:
    client(info, "lambda").add_permission(
        FunctionName=function,
        StatementId=f"AllowALB-{function}",
        Action="lambda:InvokeFunction",
        Principal="elasticloadbalancing.amazonaws.com",
        SourceArn=source_arn,
        SourceAccount=info.account_id,
        Qualifier=qualifier,
    )
