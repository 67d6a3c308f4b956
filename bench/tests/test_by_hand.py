"""A script that notes its calls takes Terraform's place: what is tested is which files it is given, and when."""

import json
from pathlib import Path

import pytest

from bench.by_hand import ByHand
from bench.errors import CannotMeasure
from terraform_runner.executor import Workspace
from terraform_runner.state import LocalState

# Notes the command, its variables and whether it found the state; `init` and `apply` leave what Terraform leaves.
SCRIPT = """#!/bin/sh
found=$(test -e terraform.tfstate && cat terraform.tfstate)
weight=$(sed 's/.*"green_weight": \\([0-9]*\\).*/\\1/;t;d' service.auto.tfvars.json)
echo "$*|$weight|$found|$AWS_REGION|$(pwd)" >> {log}
case $1 in
  {fails}) echo "it broke"; exit 1 ;;
  init) echo lock > .terraform.lock.hcl ;;
  apply) echo "state with $weight" > terraform.tfstate ;;
esac
"""


class StandIn:
    """The script, and what it noted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.break_at("nothing")

    def break_at(self, command: str) -> None:
        script = self.folder / "terraform"
        script.write_text(SCRIPT.format(log=self.folder / "log", fails=command))
        script.chmod(0o755)

    def calls(self) -> list[list[str]]:
        """Of each call its arguments, the weight, the state that it found, the region, and its folder."""
        return [line.split("|") for line in (self.folder / "log").read_text().splitlines()]

    def by_hand(self) -> ByHand:
        module = self.folder / "module"
        module.mkdir()
        (module / "main.tf").write_text("# a module")
        space = Workspace(
            key="by-hand",
            root={"module": {}},
            variables={"green_weight": 0, "name": "by-hand"},
            modules={"service": module},
            environment={"AWS_REGION": "eu-central-1"},
            state=LocalState(folder=self.folder / "unused"),
            secrets=(),
        )
        folder = self.folder / "by-hand"
        return ByHand(folder=folder, workspace=space, binary=str(self.folder / "terraform"), mirror=None)


@pytest.fixture
def stand_in(tmp_path) -> StandIn:
    return StandIn(tmp_path)


@pytest.fixture
def by_hand(stand_in) -> ByHand:
    made = stand_in.by_hand()
    made.set_up()
    return made


def test_service_is_set_up_once_however_often_it_is_asked_for(by_hand, stand_in):
    by_hand.set_up()

    assert [call[:4] for call in stand_in.calls()] == [
        ["init", "0", "", "eu-central-1"],
        ["apply -auto-approve", "0", "", "eu-central-1"],
    ]


def test_weight_is_applied_in_the_initialised_directory(by_hand, stand_in):
    assert by_hand.apply_weight(50) > 0

    set_up, applied = stand_in.calls()[1:]
    assert applied == ["apply -auto-approve", "50", "state with 0", "eu-central-1", set_up[4]]


def test_saved_plan_is_made_before_and_applied_in_the_initialised_directory(by_hand, stand_in):
    assert by_hand.apply_saved_plan(50) > 0

    set_up, planned, applied = stand_in.calls()[1:]
    assert [call[0] for call in (planned, applied)] == ["plan -out=weight.tfplan", "apply weight.tfplan"]
    assert {call[4] for call in (set_up, planned, applied)} == {set_up[4]}
    assert planned[1] == "50"


def test_fresh_directory_begins_with_init_and_has_state_and_lock_file(by_hand, stand_in):
    assert by_hand.change_in_fresh_directory(20) > 0

    calls = stand_in.calls()[2:]
    assert [call[0].split()[0] for call in calls] == ["init", "plan", "show", "apply"]
    assert {call[2] for call in calls} == {"state with 0"}
    assert len({call[4] for call in calls} - {stand_in.calls()[0][4]}) == 1


def test_what_a_fresh_directory_changed_is_where_the_next_begins(by_hand, stand_in):
    by_hand.change_in_fresh_directory(20)
    by_hand.change_in_fresh_directory(30)

    first, second = (call for call in stand_in.calls() if call[0].startswith("plan"))
    assert (first[2], second[2]) == ("state with 0", "state with 20")
    assert first[4] != second[4]


def test_fresh_directory_has_the_module_and_is_gone_afterwards(by_hand, stand_in):
    by_hand.change_in_fresh_directory(20)

    assert not Path(stand_in.calls()[-1][4]).exists()
    root = Path(stand_in.calls()[0][4])
    assert (root / "modules/service/main.tf").read_text() == "# a module"
    assert json.loads((root / "main.tf.json").read_text()) == {"module": {}}


def test_command_that_fails_ends_it_with_what_was_printed(by_hand, stand_in):
    stand_in.break_at("plan")

    with pytest.raises(CannotMeasure, match=r"terraform plan -out=weight.tfplan failed by hand:\nit broke"):
        by_hand.change_in_fresh_directory(20)
