"""A service as the module makes it, made by boto3 at the sandbox, with the row that points to it.

It is in the middle of its first release: green runs its second version, the users are split, the canary is on.
"""

import itertools
from dataclasses import dataclass
from typing import Any

from infra.sandbox.info import SandboxInfo
from infra.sandbox.tests.service import ALIAS, client, make_function, make_role, make_target_group, permit
from releases.models import Service
from releases.tests.factories import ServiceFactory

YOU = "127.0.0.9/32"
# Beside those of the sandbox's own tests, in steps of two for both rules.
_priorities = itertools.count(20_000, 2)


@dataclass(frozen=True, kw_only=True)
class Installed:
    """A service at the sandbox: change what you like by ``elbv2`` and ``functions``, as somebody by hand would."""

    info: SandboxInfo
    row: Service

    @property
    def elbv2(self) -> Any:
        """A client of its own: Bluegreen's clients are not asked."""
        return client(self.info, "elbv2")

    @property
    def functions(self) -> Any:
        """Lambda's client."""
        return client(self.info, "lambda")

    def host(self) -> str:
        """What requests to it have to ask for."""
        return str(self.row.hostnames[0])

    def digest(self, tag: str) -> str:
        """The digest of one of the sandbox's images."""
        return self.info.images[tag].partition("@")[2]

    def rule(self, name: str) -> dict[str, Any]:
        """The rule "traffic" or "canary" as the API describes it."""
        arn = getattr(self.row, f"{name}_rule_arn")
        rule: dict[str, Any] = self.elbv2.describe_rules(RuleArns=[arn])["Rules"][0]
        return rule

    def weights(self, name: str) -> dict[str, int]:
        """A rule's weights by colour."""
        groups = self.rule(name)["Actions"][0]["ForwardConfig"]["TargetGroups"]
        weights = {group["TargetGroupArn"]: group["Weight"] for group in groups}
        return {
            "blue": weights[self.row.blue_target_group_arn],
            "green": weights[self.row.green_target_group_arn],
        }

    def set_actions(self, name: str, blue: int, green: int, *, sticky: bool = False) -> None:
        """Set a rule's weights by hand."""
        arn = getattr(self.row, f"{name}_rule_arn")
        actions = forward(self.row.blue_target_group_arn, blue, self.row.green_target_group_arn, green)
        if sticky:
            stickiness = {"Enabled": True, "DurationSeconds": 60}
            actions[0]["ForwardConfig"]["TargetGroupStickinessConfig"] = stickiness
        self.elbv2.modify_rule(RuleArn=arn, Actions=actions)

    def set_conditions(self, name: str, *conditions: dict[str, Any]) -> None:
        """Set a rule's conditions by hand."""
        self.elbv2.modify_rule(RuleArn=getattr(self.row, f"{name}_rule_arn"), Conditions=list(conditions))

    def set_target(self, color: str, *targets: str) -> None:
        """Set what is registered with a colour's group by hand."""
        group = getattr(self.row, f"{color}_target_group_arn")
        health = self.elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        registered = [{"Id": one["Target"]["Id"]} for one in health]
        self.elbv2.deregister_targets(TargetGroupArn=group, Targets=registered)
        if targets:
            self.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": one} for one in targets])

    def publish(self, color: str, image: str, *, publish: bool = True) -> str:
        """Give a function another image by hand; the version that was published, or "$LATEST"."""
        name = getattr(self.row, f"{color}_function_name")
        updated = self.functions.update_function_code(FunctionName=name, ImageUri=image, Publish=publish)
        return str(updated["Version"])

    def set_alias(self, color: str, version: str) -> None:
        """Move a function's alias by hand."""
        name = getattr(self.row, f"{color}_function_name")
        self.functions.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=version)


def install(info: SandboxInfo, settings: Any, *, green_weight: int = 50) -> Installed:
    """Make a service and point Bluegreen's settings to the sandbox. The caller's test has the database."""
    settings.AWS_ENDPOINT_URL = info.endpoint_url
    settings.AWS_ACCESS_KEY_ID = info.access_key_id
    settings.AWS_SECRET_ACCESS_KEY = info.secret_access_key
    priority = next(_priorities) + 1
    made = Installed(info=info, row=_row(info, f"at-aws-{priority}", priority, green_weight))
    made.set_alias("green", made.publish("green", info.images["green"]))
    return made


def hosts(*values: str) -> dict[str, Any]:
    """A condition on the host."""
    return {"Field": "host-header", "HostHeaderConfig": {"Values": list(values)}}


def sources(*values: str) -> dict[str, Any]:
    """A condition on the connection's address."""
    return {"Field": "source-ip", "SourceIpConfig": {"Values": list(values)}}


def forward(blue: str, blue_weight: int, green: str, green_weight: int) -> list[dict[str, Any]]:
    """A rule's one action: to both groups, by ARN, with these weights."""
    weights = [(blue, blue_weight), (green, green_weight)]
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]


def _row(info: SandboxInfo, name: str, priority: int, green_weight: int) -> Service:
    role = make_role(info, name)
    groups = {}
    for color in ("blue", "green"):
        make_function(info, f"{name}-{color}", role, info.images["blue"])
        groups[color], _ = make_target_group(info, f"{name}-{color}")
        permit(info, f"{name}-{color}", groups[color])
    host = f"{name}.example.com"
    weights = forward(groups["blue"], 100 - green_weight, groups["green"], green_weight)
    candidate = forward(groups["blue"], 0, groups["green"], 100)
    row: Service = ServiceFactory.create(
        name=name,
        region=info.region,
        account_id=info.account_id,
        listener_arn=info.listener_arn,
        repository_uri=info.repository_uri,
        hostnames=[host],
        priority=priority,
        canary_addresses=[YOU],
        blue_image=info.images["blue"],
        green_image=info.images["green"],
        green_tag="green",
        green_weight=green_weight,
        activate_canary=True,
        active_canary_addresses=[YOU],
        green_function_version="2",
        traffic_rule_arn=_make_rule(info, priority, weights, hosts(host)),
        canary_rule_arn=_make_rule(info, priority - 1, candidate, hosts(host), sources(YOU)),
        blue_target_group_arn=groups["blue"],
        green_target_group_arn=groups["green"],
    )
    return row


def _make_rule(info: SandboxInfo, priority: int, actions: Any, *conditions: dict[str, Any]) -> str:
    rules = client(info, "elbv2").create_rule(
        ListenerArn=info.listener_arn, Priority=priority, Conditions=list(conditions), Actions=actions
    )["Rules"]
    return str(rules[0]["RuleArn"])
