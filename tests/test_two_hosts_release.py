"""Two services release at once on two hosts, with the real Terraform, under load."""

from pathlib import Path
from typing import Any

import pytest

from conftest import TerraformCli
from infra.local.tests.waiting import wait_for
from infra.sandbox.info import SandboxInfo
from infra.sandbox.tests.service import client
from tests.installation import (
    SCHEDULER,
    URGENT_WORKER,
    WORKER,
    Installation,
    connected_hosts,
    overlaps,
    running_installation,
)
from tests.load import Load
from tests.readings import Target

pytestmark = [pytest.mark.servers, pytest.mark.terraform, pytest.mark.long]

NAMES = ("orders", "payments")


@pytest.fixture
def installation(tmp_path: Path, sandbox: SandboxInfo, terraform_cli: TerraformCli):
    settings = {
        "BLUEGREEN_TERRAFORM_BIN": str(terraform_cli.binary),
        "BLUEGREEN_TERRAFORM_MIRROR": str(terraform_cli.mirror or ""),
        "BLUEGREEN_WORKERS": "1",
    }
    with running_installation(tmp_path / "installation", sandbox, settings) as made:
        yield made


def target(sandbox: SandboxInfo, name: str) -> Target:
    """A service by its host name, as the API has it."""
    elbv2 = client(sandbox, "elbv2")
    rules = [
        rule
        for rule in elbv2.describe_rules(ListenerArn=sandbox.listener_arn)["Rules"]
        if f"{name}.example.com" in str(rule["Conditions"])
    ]
    canary, traffic = sorted(rules, key=lambda rule: int(rule["Priority"]))
    groups = traffic["Actions"][0]["ForwardConfig"]["TargetGroups"]
    functions = {group["TargetGroupArn"]: _function(elbv2, group["TargetGroupArn"]) for group in groups}
    return Target(rule_arns=[canary["RuleArn"], traffic["RuleArn"]], functions=functions)


def _function(elbv2: Any, group: str) -> str:
    health = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return str(health[0]["Target"]["Id"].split(":")[6])


def is_set_up(installation: Installation) -> bool:
    """Whether both services are there, with nothing that failed."""
    found = installation.act("steps")
    assert found["problems"] == {}
    return found["open"] == 0


def release(installation: Installation, loads: list[Load], green: str) -> None:
    """Both at once: requested together, started and approved as their plans come, until all have the new version."""
    blue = installation.sandbox.images["blue"].partition("@")[2]
    installation.act("request", "green", *NAMES)
    for load in loads:
        load.phase(everyone={blue, green}, you={blue, green})
    installation.act("follow", *NAMES)
    for load in loads:
        load.phase(everyone={green}, you={green})


def test_two_services_release_at_once_on_two_hosts_under_load(installation: Installation):
    sandbox = installation.sandbox
    blue, green = (sandbox.images[tag].partition("@")[2] for tag in ("blue", "green"))
    with connected_hosts(installation, "host-a", "host-b") as hosts:
        for host, doors in hosts:
            for program in (WORKER, URGENT_WORKER, SCHEDULER):
                installation.start(host, doors, *program)
        installation.set_up(*NAMES)
        wait_for(lambda: is_set_up(installation), "both services to be set up", seconds=240)
        loads = [
            Load(sandbox=sandbox, target=target(sandbox, name), host=f"{name}.example.com") for name in NAMES
        ]
        for load in loads:
            load.phase(everyone={blue}, you={blue})
        with loads[0], loads[1]:
            release(installation, loads, green)
        installation.stop()
    runs = installation.act("runs")
    assert [answer for load in loads for answer in load.wrong_answers()] == []
    assert all(len(load.answers) > 100 for load in loads)
    assert {run["status"] for run in runs} == {"succeeded"}
    assert {run["host"] for run in runs} == {"host-a", "host-b"}
    assert overlaps(runs) == []
    assert were_at_the_same_time(runs)


def were_at_the_same_time(runs: list[dict[str, Any]]) -> bool:
    """Whether some run of one service went on while one of the other did."""
    orders, payments = ([run for run in runs if run["service"] == name] for name in NAMES)
    return any(
        one["began"] < other["ended"] and other["began"] < one["ended"]
        for one in orders
        for other in payments
    )
