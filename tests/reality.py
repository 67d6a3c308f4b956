"""A service's rules as the API tells them, and what the load balancer has counted."""

import json
import urllib.request
from collections import Counter
from dataclasses import dataclass
from typing import Any

import boto3

from infra.sandbox.info import SandboxInfo
from releases.domain.traffic import NOBODY
from tests.load import Target


@dataclass(frozen=True, kw_only=True)
class Reality:
    """The service with rules of priority 200 and 199 on the sandbox's listener, found without Bluegreen's help."""

    sandbox: SandboxInfo

    def target(self) -> Target:
        """The service as something to put load on."""
        rules = self._rules()
        functions = {arn: self._function(arn) for arn in _weights(rules["200"])}
        return Target(
            traffic_rule_arn=rules["200"]["RuleArn"],
            canary_rule_arn=rules["199"]["RuleArn"],
            functions=functions,
        )

    def green_weight(self) -> int:
        """Green's share of all users, in percent, as the traffic rule has it."""
        weights = {self._function(arn): weight for arn, weight in _weights(self._rules()["200"]).items()}
        assert sum(weights.values()) == 100
        return next(weight for name, weight in weights.items() if "green" in name)

    def canary_is_on(self) -> bool:
        """Whether the canary rule lets anybody in."""
        conditions = self._rules()["199"]["Conditions"]
        sources = next(one["SourceIpConfig"]["Values"] for one in conditions if one["Field"] == "source-ip")
        return bool(sources != [NOBODY])

    def counted(self) -> "Counter[str]":
        """How many requests each version (digest) has answered, and how many failed (by status)."""
        with urllib.request.urlopen(f"{self.sandbox.url}/-/sandbox/counts") as answer:
            counts = json.load(answer)
        total: Counter[str] = Counter()
        for count in counts:
            total[count["digest"] if count["status"] == 200 else str(count["status"])] += count["count"]
        return total

    def _rules(self) -> dict[str, Any]:
        rules = self._client("elbv2").describe_rules(ListenerArn=self.sandbox.listener_arn)["Rules"]
        return {rule["Priority"]: rule for rule in rules}

    def _function(self, target_group_arn: str) -> str:
        health = self._client("elbv2").describe_target_health(TargetGroupArn=target_group_arn)
        alias_arn = health["TargetHealthDescriptions"][0]["Target"]["Id"]
        return str(alias_arn.split(":")[6])

    def _client(self, name: Any) -> Any:
        return boto3.client(
            name,
            region_name=self.sandbox.region,
            endpoint_url=self.sandbox.endpoint_url,
            aws_access_key_id=self.sandbox.access_key_id,
            aws_secret_access_key=self.sandbox.secret_access_key,
        )


def _weights(rule: dict[str, Any]) -> dict[str, int]:
    groups = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
    return {group["TargetGroupArn"]: group["Weight"] for group in groups}
