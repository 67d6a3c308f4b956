"""The executor with the real Terraform, on ``terraform_data``, which needs no provider.

One workspace goes through its life once, in a fixture; the tests look at what came of it.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from terraform_runner import executor
from terraform_runner.domain.results import Applied, Planned
from terraform_runner.errors import (
    ModuleInvalid,
    PlanStale,
    ProviderNotFound,
    RunCancelled,
    StateLocked,
    TerraformTooOld,
)
from terraform_runner.executor import RunnerSettings, Workspace
from terraform_runner.plan_store import PlanStore
from terraform_runner.state import LocalState
from terraform_runner.tests.support import RecordingControl, encrypted

pytestmark = pytest.mark.terraform

SECRET = "hush-hush-secret"
MODULE = """
variable "colour" {
  type = string
  validation {
    condition     = contains(["blue", "green"], var.colour)
    error_message = "colour: write blue or green."
  }
}
variable "password" { type = string }
variable "seconds" { type = number }
resource "terraform_data" "service" { input = { colour = var.colour, password = var.password } }
resource "terraform_data" "slow" {
  input = var.seconds
  provisioner "local-exec" { command = "echo waiting; sleep ${self.input}" }
  triggers_replace = var.seconds
  depends_on       = [terraform_data.service]
}
output "colour" { value = terraform_data.service.output.colour }
"""
ROOT: dict[str, Any] = {
    "terraform": {"required_version": ">= 1.10"},
    "variable": {
        "colour": {},
        "seconds": {"type": "number"},
        "password": {"type": "string", "sensitive": True},
    },
    "module": {
        "service": {
            "source": "./modules/m",
            "colour": "${var.colour}",
            "seconds": "${var.seconds}",
            "password": "${var.password}",
        }
    },
    "output": {
        "colour": {"value": "${module.service.colour}"},
        "password": {"value": "${var.password}", "sensitive": True},
    },
}
VARIABLES = {"colour": "blue", "seconds": 0, "password": SECRET}


@dataclass
class Life:
    """A workspace, and what its runs printed."""

    workspace: Workspace
    settings: RunnerSettings
    seen: list[list[str]] = field(default_factory=list)

    def plan(self, control: RecordingControl | None = None, **variables: Any) -> Planned:
        workspace = replace(self.workspace, variables={**VARIABLES, **variables})
        return executor.plan(
            run_id=uuid4(), workspace=workspace, settings=self.settings, control=self._remember(control)
        )

    def apply(self, planned: Planned, control: RecordingControl | None = None) -> Applied:
        return executor.apply(
            wants_outputs=True,
            run_id=uuid4(),
            plan_sha256=planned.plan_sha256,
            document_sha256=planned.document_sha256,
            workspace=self.workspace,
            settings=self.settings,
            control=self._remember(control),
            before_apply=lambda _: None,
        )

    @property
    def state_path(self) -> Path:
        return Path(self.workspace.state.backend["local"]["path"])

    def _remember(self, control: RecordingControl | None) -> RecordingControl:
        remembering = control or RecordingControl()
        self.seen.append(remembering.seen)
        return remembering


@dataclass(frozen=True)
class Lived:
    """What came of a set-up and a change."""

    life: Life
    set_up: Planned
    applied: Applied
    change: Planned
    changed: Applied
    state: dict[str, Any]


def start(folder: Path, terraform_cli) -> Life:
    module = folder / "module"
    module.mkdir(parents=True)
    (module / "main.tf").write_text(MODULE)
    workspace = Workspace(
        key="one",
        root=ROOT,
        variables=VARIABLES,
        modules={"m": module},
        environment={},
        state=LocalState(folder=folder / "state"),
        secrets=(),
    )
    settings = RunnerSettings(
        binary=str(terraform_cli.binary),
        data_root=folder / "data",
        plans=PlanStore(encrypted(folder, "plans")),
        unsaved_states=encrypted(folder, "unsaved"),
        mirror=folder / "mirror",
        time_limit_seconds=120,
        grace_seconds=30,
        lock_timeout_seconds=1,
    )
    (folder / "mirror").mkdir()
    return Life(workspace=workspace, settings=settings)


@contextmanager
def held_elsewhere(path: Path) -> Iterator[None]:
    """Another process holds the lock as Terraform does: this one's would be lost as soon as it closes the file."""
    code = "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.lockf(f, fcntl.LOCK_EX); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield
        holder.kill()


@pytest.fixture(scope="module")
def lived(terraform_cli, tmp_path_factory) -> Lived:
    life = start(tmp_path_factory.mktemp("life"), terraform_cli)
    set_up = life.plan()
    applied = life.apply(set_up)
    change = life.plan(colour="green")
    changed = life.apply(change)
    state = json.loads(life.state_path.read_text())
    return Lived(life=life, set_up=set_up, applied=applied, change=change, changed=changed, state=state)


def test_plan_says_what_it_changes(lived):
    (change,) = lived.change.plan.changes

    assert change.address == "module.service.terraform_data.service"
    assert change.actions == ("update",)
    assert [item["attributes"][0] for item in lived.change.changes] == [
        {"path": "input.colour", "before": "blue", "after": "green", "unknown": False, "sensitive": False}
    ]


def test_apply_gives_the_outputs_and_hides_the_sensitive_ones(lived):
    assert lived.applied.outputs == {"colour": "blue", "password": "(masked)"}
    assert lived.changed.outputs["colour"] == "green"


def test_only_the_first_run_of_a_configuration_initialises(lived):
    initialised = [any("Initializing" in line for line in seen) for seen in lived.life.seen[:4]]

    assert initialised == [True, False, False, False]


def test_state_is_where_the_workspace_says_and_private(lived):
    assert lived.state["outputs"]["colour"]["value"] == "green"
    assert lived.life.state_path.stat().st_mode & 0o777 == 0o600


def test_secret_is_neither_printed_nor_in_what_is_kept_readably(lived):
    folder = lived.life.settings.data_root.parent / "plans"

    assert SECRET not in "\n".join(line for seen in lived.life.seen for line in seen)
    assert SECRET not in json.dumps(lived.set_up.changes)
    assert SECRET not in json.dumps(lived.life.settings.plans.read_json(lived.set_up.document_sha256))
    for kept in folder.iterdir():
        assert kept.read_bytes().startswith(b"BG1")


def test_whoever_judges_a_plan_has_it_in_the_clear_and_nobody_prints_it(lived):
    (service,) = (change for change in lived.set_up.plan.changes if change.name == "service")

    assert service.after["input"]["password"] == SECRET
    assert SECRET not in repr(lived.set_up)


def test_plan_that_was_applied_is_stale(lived):
    with pytest.raises(PlanStale):
        lived.life.apply(lived.change)


def test_state_that_somebody_else_holds_says_who_and_since_when(lived):
    path = lived.life.state_path
    who = {
        "ID": "7d0e",
        "Operation": "OperationTypeApply",
        "Who": "jane@laptop",
        "Created": "2026-11-24T21:04:16Z",
    }
    note = path.with_name(".terraform.tfstate.lock.info")

    note.write_text(json.dumps(who))
    with held_elsewhere(path), pytest.raises(StateLocked) as caught:
        lived.life.plan()
    note.unlink()

    assert (caught.value.who, caught.value.operation) == ("jane@laptop", "OperationTypeApply")
    assert caught.value.since.startswith("2026-11-24 21:04:16")


def test_value_that_the_module_refuses_is_explained(lived):
    with pytest.raises(ModuleInvalid, match="write blue or green"):
        lived.life.plan(colour="red")


@pytest.mark.fault
def test_cancelled_apply_ends_by_itself_with_its_state_written_and_its_lock_freed(lived):
    planned = lived.life.plan(colour="blue", seconds=300)
    control = RecordingControl(stop_when=lambda seen: any("waiting" in line for line in seen))

    with pytest.raises(RunCancelled):
        lived.life.apply(planned, control)

    path = lived.life.state_path
    assert "Interrupt received." in "\n".join(control.seen)
    assert '"colour": "blue"' in path.read_text()
    assert not path.with_name(".terraform.tfstate.lock.info").exists()


def test_provider_that_is_nowhere_is_named(terraform_cli, tmp_path):
    life = start(tmp_path, terraform_cli)
    providers = {"aws": {"source": "hashicorp/aws", "version": "5.1.0"}}
    life.workspace = replace(life.workspace, root={**ROOT, "terraform": {"required_providers": providers}})

    with pytest.raises(ProviderNotFound, match="hashicorp/aws"):
        life.plan()


def test_terraform_that_is_too_old_for_the_module_is_named(terraform_cli, tmp_path):
    life = start(tmp_path, terraform_cli)
    life.workspace = replace(life.workspace, root={**ROOT, "terraform": {"required_version": ">= 99.0"}})

    with pytest.raises(TerraformTooOld, match=r">= 99\.0"):
        life.plan()
