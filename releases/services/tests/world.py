"""Terraform and AWS as the orchestrator sees them, in memory: one service's rules, functions and aliases.

Plans and applies follow the variables that the orchestrator renders, so that a test says only what goes wrong. The real
ones are in the tests that cross parts.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

from aws.errors import AwsError
from aws.load_balancer import Rule
from releases.domain.guard import Refusal
from releases.domain.reality import ColorReality, Difference, Reality, RuleReality
from releases.domain.traffic import NOBODY, Color
from releases.models import Service
from releases.services import recovery, runs
from terraform_runner.domain.results import Applied, Planned
from terraform_runner.domain.runs import RunStatus
from terraform_runner.errors import RunnerError
from terraform_runner.models import Run

REPOSITORY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop"
WORKER = "tests/1/1.00"
ARNS = {
    "traffic_rule_arn": "arn:rule/traffic",
    "canary_rule_arn": "arn:rule/canary",
    "blue_target_group_arn": "arn:group/blue",
    "green_target_group_arn": "arn:group/green",
    "blue_function_name": "shop-blue",
    "green_function_name": "shop-green",
}


def reference(tag: str) -> str:
    """The image of a tag, by digest."""
    return f"{REPOSITORY}@sha256:{hashlib.sha256(tag.encode()).hexdigest()}"


class Function:
    """One colour's function: digest and configuration of each published version, and what the alias leads to."""

    def __init__(self, image: str, configuration: Mapping[str, Any]) -> None:
        self.versions = [(image.partition("@")[2], configuration)]
        self.alias = 1
        self.state = "Active"

    def run(self, image: str, configuration: Mapping[str, Any]) -> None:
        """What Terraform does when the version is another one: update, publish, move the alias."""
        version = image.partition("@")[2], configuration
        if self.versions[-1] != version:
            self.versions.append(version)
        self.alias = len(self.versions)

    def read(self, color: Color) -> ColorReality:
        return ColorReality(
            function_name=f"shop-{color}",
            alias_version=str(self.alias),
            alias_digest=self.versions[self.alias - 1][0],
            latest_digest=self.versions[-1][0],
            newest_version=str(len(self.versions)),
            targets=(f"arn:aws:lambda:eu-central-1:123456789012:function:shop-{color}:live",),
            callers=frozenset({f"arn:group/{color}"}),
            state=self.state,
            update_status="Successful",
            latest_state="Active",
            last_update_status="Successful",
            configuration=self.versions[-1][1],
            alias_configuration=self.versions[self.alias - 1][1],
        )


class World:
    """What tests change: ``refusals`` of the guard, ``outdated`` before an apply, ``during_apply``, ``apply_fails``."""

    def __init__(self) -> None:
        self.refusals: Sequence[Refusal] = ()
        self.outdated: Sequence[Difference] = ()
        self.outdated_times = 1_000
        self.during_apply: Callable[[], None] = lambda: None
        self.apply_fails: RunnerError | None = None
        self.plan_fails: RunnerError | None = None
        self.aws_fails: AwsError | None = None
        self.ignores_weights = False
        self.salt = ""
        self.applied: list[Mapping[str, Any]] = []
        self.functions: dict[Color, Function] = {}
        self.weights: dict[str, dict[str, int]] = {}
        self.canary_ips = {NOBODY}
        self.variables: Mapping[str, Any] = {}

    def work(self) -> None:
        """Do what a worker and the scheduler do, until nothing is queued any more."""
        while queued := list(Run.objects.filter(status=RunStatus.QUEUED).order_by("queued_at")):
            for run in queued:
                runs.execute(run.pk, worker=WORKER)
        recovery.sweep()

    def execute_again(self, run: Run) -> None:
        """A message that is delivered a second time."""
        runs.execute(run.pk, worker=WORKER)

    def plan(self, *, workspace: Any, **_: object) -> Planned:
        if self.plan_fails:
            raise self.plan_fails
        self.planned_nothing = self._is_already(workspace.variables)
        changed = {k: v for k, v in workspace.variables.items() if self.variables.get(k) != v}
        content = json.dumps([changed, self.salt]).encode()
        sha256 = hashlib.sha256(content + str(Run.objects.count()).encode()).hexdigest()
        return Planned(
            plan=SimpleNamespace(),  # type: ignore[arg-type]  # only the guard looks into it, which is stood in for
            plan_sha256=sha256,
            document_sha256=sha256,
            changes_digest=hashlib.sha256(content).hexdigest(),
            changes=[],
        )

    def differences(self) -> Sequence[Difference]:
        """What differs from the plan right before an apply, so many times."""
        self.outdated_times -= 1
        return self.outdated if self.outdated_times >= 0 else ()

    def apply(self, *, workspace: Any, before_apply: Callable[[Any], None], **_: object) -> Applied:
        before_apply(SimpleNamespace())
        self.during_apply()
        if self.apply_fails:
            raise self.apply_fails
        self.applied.append(workspace.variables)
        self.variables = dict(workspace.variables)
        self._become(workspace.variables)
        return Applied(outputs=ARNS)

    def read_reality(self, service: Service) -> Reality:
        if self.aws_fails:
            raise self.aws_fails
        rules = self.read_rules(None, [])
        return Reality(
            traffic=self._rule(rules["arn:rule/traffic"]),
            canary=self._rule(rules["arn:rule/canary"]),
            blue=self.functions[Color.BLUE].read(Color.BLUE),
            green=self.functions[Color.GREEN].read(Color.GREEN),
        )

    def read_rules(self, access: object, arns: Sequence[str]) -> dict[str, Rule]:
        if self.aws_fails:
            raise self.aws_fails
        return {
            arn: Rule(
                arn=arn,
                priority=199 if "canary" in arn else 200,
                weights=dict(weights),
                sticky=False,
                source_ips=frozenset(self.canary_ips) if "canary" in arn else frozenset(),
                hostnames=frozenset(),
                paths=frozenset({"/*"}),
                other_conditions=frozenset(),
            )
            for arn, weights in self.weights.items()
        }

    def set_weights(self, access: object, rule_arn: str, weights: Mapping[str, int]) -> None:
        if self.aws_fails:
            raise self.aws_fails
        if not self.ignores_weights:
            self.weights[rule_arn] = dict(weights)

    def green_weight(self) -> int:
        """What the traffic rule really says."""
        return self.weights["arn:rule/traffic"]["arn:group/green"]

    def _is_already(self, variables: Mapping[str, Any]) -> bool:
        """Terraform reads what is real before it plans."""
        there = deepcopy(self)
        there._become(variables)
        return (there.weights, there.canary_ips, there._versions()) == (
            self.weights,
            self.canary_ips,
            self._versions(),
        )

    def _versions(self) -> dict[Color, tuple[str, Mapping[str, Any]]]:
        return {color: function.versions[-1] for color, function in self.functions.items()}

    def _become(self, variables: Mapping[str, Any]) -> None:
        for color in Color:
            version = variables[f"{color}_image"], variables[f"{color}_config"]
            self.functions.setdefault(color, Function(*version)).run(*version)
        green = variables["green_weight"]
        self.weights["arn:rule/traffic"] = {"arn:group/blue": 100 - green, "arn:group/green": green}
        candidate = Color(variables["active_color"]).other
        self.weights["arn:rule/canary"] = {
            f"arn:group/{color}": 100 * (color == candidate) for color in Color
        }
        self.canary_ips = set(variables["canary_source_ips"]) if variables["activate_canary"] else {NOBODY}

    def _rule(self, rule: Rule) -> RuleReality:
        return RuleReality(
            weights=rule.weights,
            source_ips=rule.source_ips,
            hostnames=rule.hostnames,
            paths=rule.paths,
            priority=rule.priority,
            sticky=rule.sticky,
            other_conditions=rule.other_conditions,
        )


class StandInHold:
    """A hold without a thread; a run is asked to stop where the database says so."""

    def __init__(self, run: Run, **_: object) -> None:
        self.run = run

    def __enter__(self) -> "StandInHold":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def should_stop(self) -> str | None:
        self.run.refresh_from_db()
        return self.run.cancel_reason if self.run.cancel_requested_at else None
