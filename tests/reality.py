"""A service's rules as the API tells them, and what the load balancer has counted."""

import json
import urllib.request
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.sandbox.info import SandboxInfo
from infra.sandbox.tests.service import client
from releases.domain.traffic import NOBODY
from tests.readings import Target

PRIORITY = "200"


@dataclass(frozen=True, kw_only=True)
class Reality:
    """The service whose users' rule has priority 200 on the sandbox's listener, found without Bluegreen's help."""

    sandbox: SandboxInfo

    def target(self) -> Target:
        """The service as something to put load on."""
        rules = self._rules()
        functions = {arn: self._function(arn) for arn in _weights(rules[-1])}
        return Target(rule_arns=[rule["RuleArn"] for rule in rules], functions=functions)

    def green_weight(self) -> int:
        """Green's share of all users, in percent, as the users' rule has it."""
        weights = {self._function(arn): weight for arn, weight in _weights(self._rules()[-1]).items()}
        assert sum(weights.values()) == 100
        return next(weight for name, weight in weights.items() if "green" in name)

    def sticky_seconds(self) -> int:
        """How long the users' rule keeps somebody on a colour; 0 for not at all."""
        stickiness = self._rules()[-1]["Actions"][0]["ForwardConfig"].get("TargetGroupStickinessConfig", {})
        return int(stickiness["DurationSeconds"]) if stickiness.get("Enabled") else 0

    def canary_is_on(self) -> bool:
        """Whether the canary's rules let anybody in: all of them do, or none."""
        open_rules = [NOBODY not in _sources(rule) for rule in self._rules()[:-1]]
        assert len(set(open_rules)) == 1
        return open_rules[0]

    def counted(self) -> "Counter[str]":
        """How many requests each version (digest) has answered, and how many failed (by status)."""
        with urllib.request.urlopen(f"{self.sandbox.url}/-/sandbox/counts") as answer:
            counts = json.load(answer)
        total: Counter[str] = Counter()
        for count in counts:
            total[count["digest"] if count["status"] == 200 else str(count["status"])] += count["count"]
        return total

    def _rules(self) -> list[dict[str, Any]]:
        """All rules that lead to the same two groups, in the order in which they are asked: the users' is the last."""
        found = client(self.sandbox, "elbv2").describe_rules(ListenerArn=self.sandbox.listener_arn)["Rules"]
        groups = next(set(_weights(rule)) for rule in found if rule["Priority"] == PRIORITY)
        own = [rule for rule in found if set(_weights(rule)) == groups]
        return sorted(own, key=lambda rule: int(rule["Priority"]))

    def _function(self, target_group_arn: str) -> str:
        health = client(self.sandbox, "elbv2").describe_target_health(TargetGroupArn=target_group_arn)
        alias_arn = health["TargetHealthDescriptions"][0]["Target"]["Id"]
        return str(alias_arn.split(":")[6])


def _weights(rule: Mapping[str, Any]) -> dict[str, int]:
    groups = rule["Actions"][0].get("ForwardConfig", {}).get("TargetGroups", [])
    return {group["TargetGroupArn"]: group["Weight"] for group in groups}


def _sources(rule: Mapping[str, Any]) -> list[str]:
    configs = [one["SourceIpConfig"]["Values"] for one in rule["Conditions"] if one["Field"] == "source-ip"]
    return [address for values in configs for address in values]
