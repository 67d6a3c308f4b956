"""The complete stack: its inputs, and its README's own blocks, from nothing through two releases to nothing."""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from conftest import TerraformCli
from infra.examples.tests.readme import README, Block, change_settings, read_blocks
from infra.local.paths import ROOT
from infra.modules.tests.commands import Directory, copy_of_infra
from infra.sandbox.info import SandboxInfo
from infra.sandbox.testing import running_sandbox
from infra.sandbox.tests.service import client

COMPLETE = README.parent / "complete"
BLOCKS = read_blocks((COMPLETE / "README.md").read_text())
START = "Start the sandbox"
# At equal shares, that one isn't among so many answers has a probability of 2e-15.
REQUESTS = 50


def change_service(variables: str, change: str) -> str:
    """Return a variables file with the lines of a block `name = { … }` changed within that service's own block.

    Raises ValueError if there is no such service, or it sets one of them not exactly once.
    """
    name, _, lines = change.partition(" = {\n")
    found = re.search(rf"^  {name} = {{\n.*?^  }}$", variables, re.MULTILINE | re.DOTALL)
    if not found:
        raise ValueError(f"there is no service {name}")
    return variables.replace(found[0], change_settings(found[0], lines.rpartition("}")[0]))


@dataclass(frozen=True, kw_only=True)
class Phase:
    """What a reader has after an `apply` or the `destroy`: the tags that answered, by service."""

    section: str
    output: str
    everyone: dict[str, frozenset[str]]
    you: dict[str, frozenset[str]]


@dataclass(frozen=True, kw_only=True)
class Walk:
    """The phases in their order, and the load balancers that are left at the end."""

    phases: list[Phase]
    left: list[str]


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory, terraform_cli: TerraformCli) -> Walk:
    """The README's whole walk, once for all tests."""
    data_dir = tmp_path_factory.mktemp("data")
    environment = terraform_cli.environment | {"BLUEGREEN_DATA_DIR": str(data_dir)}
    if terraform_cli.mirror:
        environment["BLUEGREEN_TERRAFORM_MIRROR"] = str(terraform_cli.mirror)
    checkout = Directory(path=_checkout(tmp_path_factory.mktemp("checkout")), environment=environment)
    with running_sandbox(data_dir / "sandbox-alone") as sandbox:
        phases = list(_follow(checkout, sandbox))
        balancers = client(sandbox, "elbv2").describe_load_balancers()["LoadBalancers"]
        return Walk(phases=phases, left=[balancer["LoadBalancerName"] for balancer in balancers])


def _checkout(path: Path) -> Path:
    """A checkout whose Terraform files are copies, so that the walk writes nothing into the real one."""
    copy_of_infra(path / "infra")
    for name in ("__init__.py", "local", "sandbox"):
        (path / "infra" / name).symlink_to(ROOT / "infra" / name)
    (path / ".venv").symlink_to(sys.prefix)
    return path


def _follow(checkout: Directory, sandbox: SandboxInfo) -> Iterator[Phase]:
    """Do what each block says, in a shell that has had the first section's block."""
    file = checkout.path / "infra/examples/complete/terraform.tfvars"
    start = next(one.text for one in BLOCKS if one.language == "sh" and one.section == START)
    for block in BLOCKS:
        if block.language == "hcl":
            file.write_text(change_service(file.read_text(), block.text))
        elif block.language == "sh" and block.section != START:
            output = checkout.run("bash", "-e", "-o", "pipefail", "-c", start + block.text)
            yield _phase(block, output, sandbox)


def _phase(block: Block, output: str, sandbox: SandboxInfo) -> Phase:
    everyone, you = (
        {service: _answering(url, f"{service}.example.com") for service in ("blog", "shop")}
        for url in (sandbox.everyone_url, sandbox.you_url)
    )
    return Phase(section=block.section, output=output, everyone=everyone, you=you)


def _answering(url: str, host: str) -> frozenset[str]:
    """Return the tags that answered; a failure is in it by its status."""
    address = urlsplit(url)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=10)
    answers = set()
    for _ in range(REQUESTS):
        connection.request("GET", "/", headers={"Host": host})
        response = connection.getresponse()
        body = response.read()
        answers.add(json.loads(body)["tag"] if response.status == 200 else str(response.status))
    connection.close()
    return frozenset(answers)


# After each `apply`, and after the `destroy`: the section, and who is answered by which images of the shop.
LIFE = [
    ("Make everything", {"blue"}, {"blue"}),
    ("A release of the shop: the testers first", {"blue"}, {"green"}),
    ("Half of the users", {"blue", "green"}, {"green"}),
    ("Everyone", {"green"}, {"green"}),
    ("The second release: rotate, then everyone", {"green"}, {"green"}),
    ("The second release: rotate, then everyone", {"yellow"}, {"yellow"}),
    ("Nothing again", {"404"}, {"404"}),
]


@pytest.mark.terraform
@pytest.mark.long
@pytest.mark.parametrize("number", range(len(LIFE)), ids=lambda number: f"{number}-{LIFE[number][0][:12]}")
def test_each_phase_leads_everyone_and_the_testers_where_the_readme_says(number: int, walk: Walk) -> None:
    section, everyone, testers = LIFE[number]
    phase = walk.phases[number]
    assert phase.section == section
    assert phase.everyone["shop"] == everyone
    assert phase.you["shop"] == testers
    others = {"404"} if section == "Nothing again" else {"blue"}
    assert phase.everyone["blog"] == phase.you["blog"] == others


@pytest.mark.terraform
@pytest.mark.long
def test_releases_create_and_destroy_nothing(walk: Walk) -> None:
    assert len(walk.phases) == len(LIFE)
    assert "0 changed, 0 destroyed" in walk.phases[0].output
    for phase in walk.phases[1:-1]:
        assert "Resources: 0 added" in phase.output
        assert "0 destroyed" in phase.output


@pytest.mark.terraform
@pytest.mark.long
def test_nothing_is_left_at_the_end(walk: Walk) -> None:
    made = re.search(r"Resources: (\d+) added", walk.phases[0].output)
    gone = re.search(r"Resources: (\d+) destroyed", walk.phases[-1].output)
    assert made
    assert gone
    assert made[1] == gone[1]
    assert walk.left == ["demo-alb"]


@pytest.mark.terraform
def test_priorities_follow_from_names_and_what_cannot_work_is_refused(
    tmp_path: Path, terraform_cli: TerraformCli
) -> None:
    complete = copy_of_infra(tmp_path) / "examples" / "complete"
    directory = Directory(path=complete, environment=terraform_cli.environment)
    directory.terraform("init", "-input=false")
    assert "0 failed" in directory.terraform("test")


def test_a_change_is_made_within_its_own_service_alone() -> None:
    before = (COMPLETE / "terraform.tfvars").read_text()
    after = change_service(before, "shop = {\n  green_weight = 50\n}\n")
    changed = [
        (old, new) for old, new in zip(before.splitlines(), after.splitlines(), strict=True) if old != new
    ]
    assert changed == [("    green_weight    = 0", "    green_weight    = 50")]
    assert after.index("= 50") > after.index("shop = {")


@pytest.mark.parametrize("change", ["news = {\n  green_weight = 50\n}\n", "shop = {\n  weight = 50\n}\n"])
def test_a_change_of_what_is_not_there_is_refused(change: str) -> None:
    with pytest.raises(ValueError, match=r"there is no service news|weight is set 0 times"):
        change_service((COMPLETE / "terraform.tfvars").read_text(), change)
