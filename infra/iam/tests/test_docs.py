"""docs/aws.md: each AWS command is one that exists, with parameters that it has, and each policy is a file here."""

import re
import shlex
from collections.abc import Iterator

import pytest
from botocore import xform_name

from infra.examples.tests.readme import read_blocks
from infra.iam.tests.operations import service_model
from infra.local.paths import ROOT

TEXT = (ROOT / "docs" / "aws.md").read_text()
# What the command line has beside the API's operations: https://docs.aws.amazon.com/cli/latest/reference/ecr/
OF_THE_COMMAND_LINE = {("ecr", "get-login-password")}


def commands() -> Iterator[list[str]]:
    """The words of each `aws …` of the code blocks, by the shell's rules."""
    for block in read_blocks(TEXT):
        for line in block.text.splitlines():
            if line.strip().startswith("aws "):
                words = shlex.split(re.sub(r"\$\((.*?)\)", "value", line))
                yield words[: words.index("|")] if "|" in words else words


@pytest.mark.parametrize("words", list(commands()), ids=lambda words: " ".join(words[1:3]))
def test_command_is_an_operation_with_its_parameters(words: list[str]) -> None:
    service, operation = words[1:3]
    if (service, operation) in OF_THE_COMMAND_LINE:
        return
    model = service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(names[operation]).input_shape
    assert shape
    known = {f"--{xform_name(member, '-')}" for member in shape.members}
    given = {word for word in words[3:] if word.startswith("--")}
    assert given <= known
    assert {f"--{xform_name(member, '-')}" for member in shape.required_members} <= given


def test_every_policy_that_is_named_is_there() -> None:
    named = set(re.findall(r"\$\(policy ([a-z-]+)\)", TEXT))
    looped = {name for names in re.findall(r"for name in ([a-z ]+);", TEXT) for name in names.split()}
    for name in named | looped:
        assert (ROOT / "infra" / "iam" / f"{name}.json").exists()
    files = {file.stem for file in (ROOT / "infra" / "iam").glob("*.json")}
    assert named | looped == files


def test_every_link_leads_to_something() -> None:
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", TEXT):
        assert (ROOT / "docs" / link).exists(), link
