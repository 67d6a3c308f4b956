"""Where a service's rules and aliases lead whoever asks, read through the API and without Bluegreen's help."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.sandbox.info import SandboxInfo
from infra.sandbox.tests.service import ALIAS, client
from tests.clients import Client


@dataclass(frozen=True, kw_only=True)
class Target:
    """The service under load, as the API names it."""

    rule_arns: Sequence[str]
    """In the order in which they are asked: the canary's, and last the users'."""
    functions: Mapping[str, str]
    """Function names by target group ARN."""


@dataclass(frozen=True, kw_only=True)
class Led:
    """The versions (digests) that somebody is led to, and whether cookies keep whoever was there before."""

    digests: frozenset[str]
    is_sticky: bool


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Where each client, by its name, was led to between two moments of the monotonic clock."""

    began: float
    ended: float
    led: Mapping[str, Led]


class Reader:
    """Reads again and again, with connections of its own."""

    def __init__(self, sandbox: SandboxInfo, target: Target, clients: Sequence[Client]) -> None:
        self._elbv2, self._lambda = client(sandbox, "elbv2"), client(sandbox, "lambda")
        self._target, self._clients = target, clients

    def read(self) -> Reading:
        """What holds now."""
        began = time.monotonic()
        found = self._elbv2.describe_rules(RuleArns=list(self._target.rule_arns))["Rules"]
        rules = sorted(found, key=lambda rule: self._target.rule_arns.index(rule["RuleArn"]))
        digests = {group: self._digest(name) for group, name in self._target.functions.items()}
        led = {
            one.name: next(_led_by(rule, digests) for rule in rules if one.is_let_in(rule))
            for one in self._clients
        }
        return Reading(began=began, ended=time.monotonic(), led=led)

    def _digest(self, function: str) -> str:
        found = self._lambda.get_function(FunctionName=function, Qualifier=ALIAS)
        return str(found["Code"]["ResolvedImageUri"].partition("@")[2])


def _led_by(rule: Mapping[str, Any], digests: Mapping[str, str]) -> Led:
    forward = rule["Actions"][0]["ForwardConfig"]
    return Led(
        digests=frozenset(
            digests[group["TargetGroupArn"]] for group in forward["TargetGroups"] if group["Weight"] > 0
        ),
        is_sticky=bool(forward.get("TargetGroupStickinessConfig", {}).get("Enabled", False)),
    )
