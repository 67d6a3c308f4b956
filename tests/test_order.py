"""A rotation in one apply by plain Terraform, under load: what the module's order is for.

Bluegreen itself rotates in three steps. People who use the module alone may write both images and the weight at once,
as they did before: with the order nobody meets a version that they should not; without it everyone is sent back to the
version before the last until the functions are updated.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import TerraformCli
from infra.modules.tests.commands import Directory
from infra.modules.unordered import MODULE, write_unordered_module
from infra.sandbox.info import SandboxInfo
from infra.sandbox.testing import running_sandbox
from tests.load import Load
from tests.readings import Target

OUTPUTS = (
    *("traffic_rule_arn", "canary_rule_arn", "blue_target_group_arn", "green_target_group_arn"),
    *("blue_function_name", "green_function_name"),
)


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[SandboxInfo]:
    """Nobody else's rule is in the way of requests to any path."""
    with running_sandbox(tmp_path / "sandbox") as info:
        yield info


def root(info: SandboxInfo, module: Path, *, blue: str, green: str, green_weight: int) -> str:
    service = {
        "source": f"./{module.name}",
        "name": "rotating",
        "family": "rotating",
        "listener_arn": info.listener_arn,
        "blue_image": info.images[blue],
        "green_image": info.images[green],
        "green_weight": green_weight,
    }
    outputs = {name: {"value": f"${{module.service.{name}}}"} for name in OUTPUTS}
    return json.dumps({"module": {"service": service}, "output": outputs})


def target(directory: Directory) -> Target:
    found = {name: one["value"] for name, one in json.loads(directory.terraform("output", "-json")).items()}
    return Target(
        rule_arns=[found["canary_rule_arn"], found["traffic_rule_arn"]],
        functions={
            found[f"{color}_target_group_arn"]: found[f"{color}_function_name"] for color in ("blue", "green")
        },
    )


def rotate_in_one_apply(info: SandboxInfo, cli: TerraformCli, folder: Path, module: Path) -> Load:
    """Everyone has `green`; then both images and the weight are changed by one apply."""
    directory = Directory(path=folder, environment={**cli.environment, **info.environment()})
    main = folder / "main.tf.json"
    main.write_text(root(info, module, blue="blue", green="green", green_weight=100))
    directory.terraform("init", "-input=false")
    directory.terraform("apply", "-input=false", "-auto-approve")
    with Load(info, target(directory)) as load:
        promoted = {info.images["green"].partition("@")[2]}
        load.phase(everyone=promoted, you=promoted)
        main.write_text(root(info, module, blue="green", green="yellow", green_weight=0))
        directory.terraform("apply", "-input=false", "-auto-approve")
    return load


def ordered(folder: Path) -> Path:
    (folder / "module").symlink_to(MODULE)
    return folder / "module"


def unordered(folder: Path) -> Path:
    return write_unordered_module(folder / "module")


@pytest.mark.terraform
@pytest.mark.parametrize(
    ("make_module", "everyone_keeps_the_promoted_version"), [(ordered, True), (unordered, False)]
)
def test_only_the_modules_order_keeps_everyone_on_the_promoted_version(
    own_sandbox: SandboxInfo,
    terraform_cli: TerraformCli,
    tmp_path: Path,
    make_module: Callable[[Path], Path],
    everyone_keeps_the_promoted_version: bool,
) -> None:
    folder = tmp_path / "root"
    folder.mkdir()

    load = rotate_in_one_apply(own_sandbox, terraform_cli, folder, make_module(folder))

    assert len(load.answers) > 100
    assert (load.wrong_answers() == []) is everyone_keeps_the_promoted_version
