"""The README's own blocks, run as a reader runs them: what they do to the traffic of everyone and of the testers."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from conftest import TerraformCli
from infra.examples.tests.observing import Observation, observe, watching_everyone
from infra.examples.tests.readme import README, Block, change_settings, read_blocks
from infra.local.paths import ROOT
from infra.modules.tests.commands import Directory, copy_of_infra
from infra.sandbox.info import SandboxInfo
from infra.sandbox.testing import running_sandbox

BLOCKS = read_blocks(README.read_text())
START = "Start the sandbox"
NOBODY, YOU = frozenset({"192.0.2.1/32"}), frozenset({"127.0.0.9/32"})


@dataclass(frozen=True, kw_only=True)
class Phase:
    """What a reader has after an `apply`."""

    section: str
    output: str
    during: frozenset[str]
    after: Observation


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Somebody with a checkout who follows the README."""

    checkout: Directory
    sandbox: SandboxInfo

    def follow(self) -> Iterator[Phase]:
        """Do what each block says."""
        for block in BLOCKS:
            if block.language == "hcl":
                self._edit(block)
            elif block.language == "sh" and block.section != START:
                yield from self._paste(block)

    def _edit(self, block: Block) -> None:
        file = self.checkout.path / "infra/examples/terraform.tfvars"
        whole = block.text.startswith("lambda_config")
        file.write_text(block.text if whole else change_settings(file.read_text(), block.text))

    def _paste(self, block: Block) -> Iterator[Phase]:
        """Paste into a shell that has had the first section's block; that gives a phase if it applies something."""
        start = next(one.text for one in BLOCKS if one.language == "sh" and one.section == START)
        with watching_everyone(self.sandbox) as seen:
            output = self.checkout.run("bash", "-e", "-o", "pipefail", "-c", start + block.text)
        if "terraform apply" in block.text:
            after = observe(self.sandbox, priority=200)
            yield Phase(section=block.section, output=output, during=frozenset(seen), after=after)


@pytest.fixture(scope="module")
def phases(tmp_path_factory: pytest.TempPathFactory, terraform_cli: TerraformCli) -> list[Phase]:
    """The README's whole walk, once for all tests: it is a dozen Terraform commands."""
    data_dir = tmp_path_factory.mktemp("data")
    environment = terraform_cli.environment | {"BLUEGREEN_DATA_DIR": str(data_dir)}
    if terraform_cli.mirror:
        environment["BLUEGREEN_TERRAFORM_MIRROR"] = str(terraform_cli.mirror)
    checkout = Directory(path=_checkout(tmp_path_factory.mktemp("checkout")), environment=environment)
    with running_sandbox(data_dir / "sandbox-alone") as sandbox:
        return list(Reader(checkout=checkout, sandbox=sandbox).follow())


def _checkout(path: Path) -> Path:
    """A checkout whose Terraform files are copies, so that the walk writes nothing into the real one."""
    copy_of_infra(path / "infra")
    for name in ("__init__.py", "local", "sandbox"):
        (path / "infra" / name).symlink_to(ROOT / "infra" / name)
    (path / ".venv").symlink_to(sys.prefix)
    return path


# After each `apply`: the section; who is answered by which images; green's weight; whom the canary rule matches.
LIFE = [
    ("Set up", {"blue"}, {"blue"}, 0, NOBODY),
    ("Canary: the testers alone", {"blue"}, {"green"}, 0, YOU),
    ("Shift: 10, 25, 50, 75 percent of the users", {"blue", "green"}, {"green"}, 10, YOU),
    ("Shift: 10, 25, 50, 75 percent of the users", {"blue", "green"}, {"green"}, 25, YOU),
    ("Shift: 10, 25, 50, 75 percent of the users", {"blue", "green"}, {"green"}, 50, YOU),
    ("Shift: 10, 25, 50, 75 percent of the users", {"blue", "green"}, {"green"}, 75, YOU),
    ("Promote: everyone", {"green"}, {"green"}, 100, NOBODY),
    ("Roll back, at any moment", {"blue"}, {"blue"}, 0, NOBODY),
    ("Promote again", {"green"}, {"green"}, 100, NOBODY),
    ("Rotate for the next release", {"green"}, {"green"}, 0, NOBODY),
]


@pytest.mark.terraform
@pytest.mark.parametrize("number", range(len(LIFE)), ids=lambda number: f"{number}-{LIFE[number][0][:12]}")
def test_each_phase_leads_everyone_and_the_testers_where_the_readme_says(
    number: int, phases: list[Phase]
) -> None:
    section, everyone, testers, green, addresses = LIFE[number]
    phase = phases[number]
    after = phase.after
    assert phase.section == section
    assert set(after.everyone) == everyone
    assert set(after.you) == set(after.whitelisted_address) == testers
    assert after.traffic.weights == {"nginx-svc-blue": 100 - green, "nginx-svc-green": green}
    assert after.canary.weights == {"nginx-svc-blue": 0, "nginx-svc-green": 100}
    assert after.canary.addresses == addresses


@pytest.mark.terraform
def test_readme_has_no_phase_beyond_these(phases: list[Phase]) -> None:
    assert len(phases) == len(LIFE)


@pytest.mark.terraform
def test_one_apply_makes_a_service_and_no_later_one_creates_or_destroys(phases: list[Phase]) -> None:
    assert "14 added, 0 changed, 0 destroyed" in phases[0].output
    for phase in phases[1:]:
        assert "Resources: 0 added" in phase.output
        assert "0 destroyed" in phase.output


@pytest.mark.terraform
def test_both_rules_stay_the_same_ones(phases: list[Phase]) -> None:
    assert len({(phase.after.traffic.arn, phase.after.canary.arn) for phase in phases}) == 1


@pytest.mark.terraform
def test_nobody_is_answered_by_another_version_while_an_apply_runs(phases: list[Phase]) -> None:
    for before, phase in pairwise(phases):
        assert phase.during <= before.after.everyone | phase.after.everyone


@pytest.mark.terraform
def test_rotation_puts_the_stable_function_the_rule_and_the_candidate_in_this_order(
    phases: list[Phase],
) -> None:
    steps = [
        "lambda_function.blue",
        "lambda_alias.blue",
        "lb_listener_rule.traffic",
        "lambda_function.green",
        "lambda_alias.green",
    ]
    output = phases[-1].output
    ended = [output.index(f"aws_{step}: Modifications complete") for step in steps]
    assert ended == sorted(ended)


def test_readme_shows_the_variables_file_that_lies_beside_it() -> None:
    shown = next(block for block in BLOCKS if block.text.startswith("lambda_config"))
    assert shown.text == README.with_name("terraform.tfvars").read_text()


def test_readme_has_the_six_lines_and_nothing_more() -> None:
    shown = next(block for block in BLOCKS if block.text.startswith("lambda_config"))
    settings = [line.split()[0] for line in shown.text.splitlines() if " = " in line and "{" not in line]
    assert settings == [
        "family",
        "blue_image",
        "green_image",
        "active_color",
        "activate_canary",
        "green_weight",
    ]


def test_change_of_a_line_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="weight is set 0 times"):
        change_settings("green_weight = 0\n", "weight = 5\n")


def test_environment_of_a_sandbox_that_does_not_run_says_how_to_start_it(tmp_path: Path) -> None:
    directory = Directory(path=ROOT, environment={**os.environ, "BLUEGREEN_DATA_DIR": str(tmp_path)})
    output = directory.run(sys.executable, "-m", "infra.examples.sandbox_environment", exit_code=1)
    assert "start it by `make sandbox`" in output
