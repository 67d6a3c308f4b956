"""The module on its own: its format, its validity, its tests, and the order that one apply has."""

import re
from pathlib import Path

import pytest

from conftest import TerraformCli
from infra.modules.tests.commands import INFRA, Directory, copy_of_infra
from infra.modules.unordered import MODULE, write_unordered_module


@pytest.mark.terraform
def test_module_is_valid_and_passes_its_own_tests(tmp_path: Path, terraform_cli: TerraformCli) -> None:
    module = copy_of_infra(tmp_path) / "modules" / "lambda-blue-green"
    directory = Directory(path=module, environment=terraform_cli.environment)
    directory.terraform("init", "-input=false")
    directory.terraform("validate")
    assert "0 failed" in directory.terraform("test")


@pytest.mark.terraform
def test_terraform_files_are_formatted(terraform_cli: TerraformCli) -> None:
    Directory(path=INFRA, environment=terraform_cli.environment).terraform("fmt", "-check", "-recursive")


def test_green_differs_from_blue_by_its_colour_and_its_place_in_the_order_only() -> None:
    blue, green = (_resources(MODULE / f"{color}.tf") for color in ("blue", "green"))
    renamed = [line.replace("blue", "green") for line in blue]
    assert [line for line in green if line not in renamed] == [
        "  # After the traffic rule, which takes green's traffic away before green changes (main.tf).",
        "    aws_lb_listener_rule.traffic,",
    ]


def test_nothing_of_either_colour_is_counted_and_no_rule_but_the_canarys_further_ones() -> None:
    counted = {
        match[0]
        for file in MODULE.glob("*.tf")
        for match in re.findall(
            r'resource "aws_\w+" "(\w+)" \{\n  (count|for_each) ', file.read_text(), re.MULTILINE
        )
    }
    assert counted == {"canary_slot", "header", "this", "vpc_access", "least", "blue", "green"}
    for file in ("main.tf", "blue.tf", "green.tf"):
        assert not re.search(r"^  (count|for_each) ", (MODULE / file).read_text(), re.MULTILINE)


def test_unordered_copy_waits_for_nothing_but_role_logs_and_permissions(tmp_path: Path) -> None:
    copy = write_unordered_module(tmp_path / "copy")
    waits = {
        waited
        for file in copy.glob("*.tf")
        for listed in re.findall(r"depends_on = \[(.*?)\]", file.read_text(), re.DOTALL)
        for waited in re.findall(r"aws_\w+\.\w+", listed)
    }
    assert waits == {
        "aws_iam_role_policy_attachment.vpc_access",
        "aws_iam_role_policy.least",
        "aws_cloudwatch_log_group.blue",
        "aws_cloudwatch_log_group.green",
        "aws_lambda_permission.blue",
        "aws_lambda_permission.green",
    }


def test_order_written_in_another_way_is_not_taken_for_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    already_unordered = write_unordered_module(tmp_path / "first")
    monkeypatch.setattr("infra.modules.unordered.MODULE", already_unordered)
    with pytest.raises(ValueError, match=r"main\.tf has 0 of the 1 places"):
        write_unordered_module(tmp_path / "second")


def _resources(file: Path) -> list[str]:
    """The lines from the first resource on."""
    lines = file.read_text().splitlines()
    return lines[next(number for number, line in enumerate(lines) if line.startswith("resource")) :]
