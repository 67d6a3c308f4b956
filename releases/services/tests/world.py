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
from releases.domain.observed.reality import ColorReality, Difference, Reality
from releases.domain.plans.guard import Refusal
from releases.domain.traffic import NOBODY, Color
from releases.models import Service
from releases.services.execution import recovery, runs
from releases.services.execution.realities import rule_of
from terraform_runner import leases
from terraform_runner.domain.results import Applied, Planned
from terraform_runner.domain.runs import RunStatus
from terraform_runner.domain.state_identity import StateIdentity
from terraform_runner.domain.tools import Tools
from terraform_runner.errors import RunnerError
from terraform_runner.models import Run

REPOSITORY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop"
WORKER = "tests/1/1.00"
AWS_PROVIDER = "registry.terraform.io/hashicorp/aws"
TOOLS = Tools(command="terraform it", terraform="1.11.4", providers={AWS_PROVIDER: "6.2.0"})
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


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


class Function:
    """One colour's function: digest and configuration of each published version, and what the alias leads to.

    What it runs itself is the newest of them, unless an update was interrupted: then that is ``unpublished``.
    """

    def __init__(self, image: str, configuration: Mapping[str, Any]) -> None:
        self.versions = [(image.partition("@")[2], configuration)]
        self.unpublished: tuple[str, Mapping[str, Any]] | None = None
        self.alias = 1
        self.state = "Active"

    def update(self, image: str, configuration: Mapping[str, Any]) -> bool:
        """The first of what Terraform does when the version is another one. Whether it is another one."""
        version = image.partition("@")[2], configuration
        if self.latest == version:
            return False
        self.unpublished = version
        return True

    def run(self, image: str, configuration: Mapping[str, Any]) -> None:
        """What Terraform does when the version is another one: update, publish, move the alias."""
        if self.update(image, configuration):
            self.publish()
        self.alias = len(self.versions)

    def publish(self) -> None:
        if self.unpublished:
            self.versions.append(self.unpublished)
            self.unpublished = None

    @property
    def latest(self) -> tuple[str, Mapping[str, Any]]:
        return self.unpublished or self.versions[-1]

    def read(self, color: Color) -> ColorReality:
        return ColorReality(
            function_name=f"shop-{color}",
            alias_version=str(self.alias),
            alias_digest=self.versions[self.alias - 1][0],
            latest_digest=self.latest[0],
            newest_version=str(len(self.versions)),
            targets=(f"arn:aws:lambda:eu-central-1:123456789012:function:shop-{color}:live",),
            callers=frozenset({f"arn:group/{color}"}),
            state=self.state,
            update_status="Successful",
            latest_state="Active",
            last_update_status="Successful",
            configuration=self.latest[1],
            alias_configuration=self.versions[self.alias - 1][1],
        )


class World:
    """What tests change: ``refusals`` of the guard, ``outdated`` before an apply, ``during_apply``, ``apply_fails``.

    ``at`` is told of each point that a run has come to, with its hold, and may end it there. Who is ``killed`` reaches
    nothing any more, whatever its code would have done at its end.
    """

    def __init__(self) -> None:
        self.refusals: Sequence[Refusal] = ()
        self.outdated: Sequence[Difference] = ()
        self.outdated_times = 1_000
        self.before_plan: Callable[[], object] = lambda: None
        self.before_apply: Callable[[], object] = lambda: None
        self.during_apply: Callable[[], None] = lambda: None
        self.at: Callable[[str, Any], None] = lambda *_: None
        self.killed = False
        self.applying: Mapping[str, Any] = {}
        self.apply_fails: RunnerError | None = None
        self.plan_fails: RunnerError | None = None
        self.aws_fails: AwsError | None = None
        self.ignores_weights = False
        self.salt = ""
        self.applied: list[Mapping[str, Any]] = []
        self.functions: dict[Color, Function] = {}
        self.weights: dict[str, dict[str, int]] = {}
        self.sources: dict[str, frozenset[str]] = {}
        self.stickiness_seconds = 0
        self.asked_for: tuple[tuple[str, ...], int] = ((), 200)
        self.header: Mapping[str, str] | None = None
        self.is_gone = False
        self.variables: Mapping[str, Any] = {}
        self.log_groups: dict[str, int | None] = {}
        self.imports: list[Mapping[str, str]] = []

    def work(self) -> None:
        """Do what a worker and the scheduler do, until nothing is queued any more."""
        while queued := list(Run.objects.filter(status=RunStatus.QUEUED).order_by("queued_at")):
            for run in queued:
                runs.execute(run.pk, worker=WORKER)
        recovery.sweep()

    def execute_again(self, run: Run) -> None:
        """A message that is delivered a second time."""
        runs.execute(run.pk, worker=WORKER)

    def plan(self, *, workspace: Any, control: Any = None, **_: object) -> Planned:
        self.at("planning", control)
        self.before_plan()
        control.begins(TOOLS)
        if self.plan_fails:
            raise self.plan_fails
        self.planned_nothing = self._is_already(workspace.variables)
        self.imports = workspace.root.get("import", [])
        changed = {k: v for k, v in workspace.variables.items() if self.variables.get(k) != v}
        content = json.dumps([changed, self.salt]).encode()
        sha256 = hashlib.sha256(content + str(Run.objects.count()).encode()).hexdigest()
        self.at("planned", control)
        return Planned(
            plan=SimpleNamespace(),  # type: ignore[arg-type]  # only the guard looks into it, which is stood in for
            plan_sha256=sha256,
            document_sha256=sha256,
            changes_digest=hashlib.sha256(content).hexdigest(),
            changes=[self._change(changed)],
            state=StateIdentity(lineage="one", serial=7),
        )

    def _change(self, changed: Mapping[str, Any]) -> Mapping[str, Any]:
        """All that a plan changes, as if one resource had the variables for attributes."""
        attributes = [
            {
                "path": name,
                "before": self.variables.get(name),
                "after": value,
                "unknown": False,
                "sensitive": False,
            }
            for name, value in changed.items()
        ]
        return {
            "address": "module.service.aws_lb_listener_rule.traffic",
            "type": "aws_lb_listener_rule",
            "name": "traffic",
            "actions": ["update"],
            "action_reason": None,
            "attributes": attributes,
        }

    def differences(self) -> Sequence[Difference]:
        """What differs from the plan right before an apply, so many times."""
        self.outdated_times -= 1
        return self.outdated if self.outdated_times >= 0 else ()

    def apply(
        self, *, workspace: Any, before_apply: Callable[[Any], None], control: Any = None, **_: object
    ) -> Applied:
        self.before_apply()
        control.begins(TOOLS)
        self.at("before-check", control)
        before_apply(SimpleNamespace())
        self.during_apply()
        self.applying = workspace.variables
        self.at("checked", control)
        if self.apply_fails:
            raise self.apply_fails
        self.applied.append(workspace.variables)
        self.variables = dict(workspace.variables)
        if not workspace.variables:
            self.is_gone = True
            return Applied(outputs={})
        self._become(workspace.variables)
        self.at("applied", control)
        slots = [arn for arn in self.weights if arn.startswith("arn:rule/canary")]
        header = {"header_rule_arn": "arn:rule/header"} if "arn:rule/header" in self.weights else {}
        outputs = {**ARNS, "canary_rule_arns": slots, **header}
        return Applied(outputs=outputs, state=StateIdentity(lineage="one", serial=8))

    def read_reality(self, service: Service) -> Reality:
        self.at("reading", None)
        if self.aws_fails:
            raise self.aws_fails
        rules = self.read_rules(None, [])
        return Reality(
            rules={rule: rule_of(rules[arn]) for rule, arn in service.rule_arns.items()},
            blue=self.functions[Color.BLUE].read(Color.BLUE),
            green=self.functions[Color.GREEN].read(Color.GREEN),
        )

    def read_rules(self, access: object, arns: Sequence[str]) -> dict[str, Rule]:
        if self.killed:
            raise Killed
        if self.aws_fails:
            raise self.aws_fails
        self.find()
        return {arn: self._read_rule(arn) for arn in arns or self.weights}

    def _read_rule(self, arn: str) -> Rule:
        is_traffic, is_header = arn == "arn:rule/traffic", arn == "arn:rule/header"
        header = self.header if is_header else None
        hosts, priority = self.asked_for
        return Rule(
            arn=arn,
            priority=priority - list(self.weights).index(arn),
            weights=dict(self.weights[arn]),
            stickiness_seconds=self.stickiness_seconds if is_traffic else 0,
            source_ips=self.sources[arn],
            hostnames=frozenset(hosts),
            paths=frozenset() if hosts else frozenset({"/*"}),
            headers={header["name"]: frozenset({header["value"]})} if header else {},
            other_conditions=frozenset(),
        )

    def read_retention(self, access: object, names: Sequence[str]) -> dict[str, int | None]:
        return {name: self.log_groups[name] for name in names if name in self.log_groups}

    def find(self, *_: object) -> None:
        """Any of the service's resources: none is left after its removal."""
        if self.is_gone:
            raise AwsError("aws:rule-missing", "It is not there.")

    def set_weights(self, access: object, rule_arn: str, weights: Mapping[str, int]) -> None:
        if self.aws_fails:
            raise self.aws_fails
        if not self.ignores_weights:
            self.weights[rule_arn] = dict(weights)
            self.stickiness_seconds = 0 if rule_arn == "arn:rule/traffic" else self.stickiness_seconds

    def publish(self, access: object, name: str, *, digest: str) -> str:
        function = self.functions[Color(name.rpartition("-")[2])]
        assert function.latest[0] == digest
        function.publish()
        return str(len(function.versions))

    def green_weight(self) -> int:
        """What the traffic rule really says."""
        return self.weights["arn:rule/traffic"]["arn:group/green"]

    def _is_already(self, variables: Mapping[str, Any]) -> bool:
        """Terraform reads what is real before it plans."""
        if not variables:
            return self.is_gone
        there = deepcopy(self)
        there._become(variables)
        return there._is_like() == self._is_like()

    def _is_like(self) -> object:
        return (
            self.weights,
            self.sources,
            self.stickiness_seconds,
            self.asked_for,
            self.header,
            self._tags(),
            self.log_groups,
            self._versions(),
        )

    def _tags(self) -> object:
        return self.variables.get("tags")

    def _versions(self) -> object:
        return {color: (function.latest, function.alias) for color, function in self.functions.items()}

    def tear(self) -> None:
        """Do the first part of an apply alone: functions are updated and not published, or only the users are moved."""
        variables = self.applying
        changed = [
            function.update(*_version(variables, color))
            for color, function in self.functions.items()
            if variables
        ]
        if self.functions and variables and not any(changed):
            green = variables["green_weight"]
            self.weights["arn:rule/traffic"] = {"arn:group/blue": 100 - green, "arn:group/green": green}

    def _become(self, variables: Mapping[str, Any]) -> None:
        for color in Color:
            version = _version(variables, color)
            self.functions.setdefault(color, Function(*version)).run(*version)
        green = variables["green_weight"]
        self.weights["arn:rule/traffic"] = {"arn:group/blue": 100 - green, "arn:group/green": green}
        candidate = Color(variables["active_color"]).other
        self.asked_for = (tuple(variables["hostnames"]), variables["priority"])
        self.header = variables.get("canary_header")
        self.sources["arn:rule/traffic"] = frozenset()
        self.stickiness_seconds = variables.get("stickiness_seconds", 0) if 0 < green < 100 else 0
        if days := variables.get("log_retention_days"):
            self.log_groups |= {f"/aws/lambda/{variables['name']}-{color}": days for color in Color}
        for arn, sources in self._canary_sources(variables).items():
            self.weights[arn] = {f"arn:group/{color}": 100 * (color == candidate) for color in Color}
            self.sources[arn] = sources if variables["activate_canary"] else frozenset({NOBODY})

    def _canary_sources(self, variables: Mapping[str, Any]) -> dict[str, frozenset[str]]:
        """The canary's rules with whom they take while it is on: three addresses each, in order."""
        addresses = variables["canary_source_ips"]
        rules = {
            "arn:rule/canary" if not slot else f"arn:rule/canary-{slot + 1}": frozenset(
                addresses[3 * slot : 3 * slot + 3] or [NOBODY]
            )
            for slot in range(variables.get("canary_slots", 1))
        }
        return rules | ({"arn:rule/header": frozenset()} if variables.get("canary_header") else {})


def _version(variables: Mapping[str, Any], color: Color) -> tuple[str, Mapping[str, Any]]:
    return variables[f"{color}_image"], variables[f"{color}_config"]


class StandInHold:
    """A hold without a thread; a run is asked to stop where the database says so."""

    def __init__(self, run: Run, **_: object) -> None:
        self.run = run

    def __enter__(self) -> "StandInHold":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def begins(self, tools: Tools) -> None:
        leases.note_tools(self.run, tools)

    def should_stop(self) -> str | None:
        self.run.refresh_from_db()
        return self.run.cancel_reason if self.run.cancel_requested_at else None
