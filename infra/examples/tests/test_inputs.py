"""The example hands on all that the module takes, but for other ways to say where the listener is, and old names."""

import re

from infra.modules.tests.commands import INFRA

EXAMPLE, MODULE = INFRA / "examples", INFRA / "modules" / "lambda-blue-green"
LEFT_OUT = {"listener_arn", "load_balancer_arn", "load_balancer_tags", "names"}


def variables_of_the_module() -> set[str]:
    return {
        name
        for file in MODULE.glob("variables*.tf")
        for name in re.findall(r'^variable "(\w+)"', file.read_text(), re.MULTILINE)
    }


def test_every_input_of_the_module_is_passed_on() -> None:
    given = set(re.findall(r"^  (\w+) += ", (EXAMPLE / "main.tf").read_text(), re.MULTILINE))
    assert given - {"source", "for_each"} == variables_of_the_module() - LEFT_OUT


def test_a_colour_takes_all_that_its_configuration_has() -> None:
    fields = re.compile(r"^ +(\w+) += optional", re.MULTILINE)
    module = (MODULE / "variables.tf").read_text()
    example = (EXAMPLE / "variables.tf").read_text()
    for color in ("blue", "green"):
        there = module.partition(f'variable "{color}_config"')[2].partition("default ")[0]
        here = example.partition(f"{color}_config = optional(object({{")[2].partition("}), {})")[0]
        assert set(fields.findall(here)) == set(fields.findall(there))


def test_every_input_of_the_module_is_in_its_readme() -> None:
    inputs = (MODULE / "README.md").read_text().partition("## Inputs")[2].partition("\n## ")[0]
    rows = [line.split(" | ")[0] for line in inputs.splitlines() if line.startswith("| ")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == variables_of_the_module()
