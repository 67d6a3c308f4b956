"""The executor's own part, with a stand-in for Terraform."""

import errno
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from terraform_runner import executor, process, working_dir
from terraform_runner.cli import PASSED_ON
from terraform_runner.domain.plan import Plan
from terraform_runner.domain.results import Applied, Planned
from terraform_runner.domain.state_identity import StateIdentity
from terraform_runner.domain.tools import Tools
from terraform_runner.errors import (
    HoldLost,
    PlanMissing,
    PlanTampered,
    RunCancelled,
    RunTimedOut,
    StateUnfit,
    StateUnsaved,
    StorageFailed,
    TerraformFailed,
    UnsavedUnfit,
)
from terraform_runner.executor import RunnerSettings, UnsavedState, Workspace
from terraform_runner.plan_store import PlanStore
from terraform_runner.state import LocalState
from terraform_runner.tests.support import RecordingControl, encrypted, stand_in

pytestmark = pytest.mark.process

INITIALISED = "Initializing the backend..."


@dataclass
class Bench:
    """A workspace on a stand-in, and the runs of it."""

    workspace: Workspace
    settings: RunnerSettings
    run_id: UUID
    folder: Path

    def plan(self, control: RecordingControl | None = None, **workspace: Any) -> Planned:
        return executor.plan(
            run_id=self.run_id,
            workspace=replace(self.workspace, **workspace),
            settings=self.settings,
            control=control or RecordingControl(),
        )

    def apply(
        self,
        planned: Planned,
        control: RecordingControl | None = None,
        before_apply: Callable[[Any], None] = lambda _: None,
        *,
        wants_outputs: bool = True,
        **workspace: Any,
    ) -> Applied:
        return executor.apply(
            wants_outputs=wants_outputs,
            run_id=self.run_id,
            plan_sha256=planned.plan_sha256,
            document_sha256=planned.document_sha256,
            workspace=replace(self.workspace, **workspace),
            settings=self.settings,
            control=control or RecordingControl(),
            before_apply=before_apply,
        )

    @property
    def working(self) -> list[Path]:
        return list((self.settings.data_root / "working").iterdir())

    def stored(self, digest: str) -> Path:
        return self.folder / "plans" / digest


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    module = tmp_path / "module"
    module.mkdir()
    (module / "main.tf").write_text("")
    workspace = Workspace(
        key="one",
        root={"terraform": {"required_version": ">= 1.10"}, "module": {"m": {"source": "./modules/m"}}},
        variables={},
        modules={"m": module},
        environment={},
        state=LocalState(folder=tmp_path / "state"),
        secrets=(),
    )
    settings = RunnerSettings(
        binary=stand_in(tmp_path),
        data_root=tmp_path / "data",
        plans=PlanStore(encrypted(tmp_path, "plans")),
        unsaved_states=encrypted(tmp_path, "unsaved"),
        mirror=None,
        time_limit_seconds=60,
        grace_seconds=5,
        lock_timeout_seconds=1,
    )
    return Bench(workspace=workspace, settings=settings, run_id=uuid4(), folder=tmp_path)


def stand_in_mode(mode: str) -> dict[str, dict[str, str]]:
    return {"environment": {"STAND_IN": mode}}


def when_hanging() -> RecordingControl:
    return RecordingControl(stop_when=lambda seen: "hanging" in seen)


def test_first_run_initialises_and_the_next_ones_do_not(bench):
    first, second, third = RecordingControl(), RecordingControl(), RecordingControl()

    planned = bench.plan(first)
    bench.plan(second, variables={"green_weight": 10})
    bench.apply(planned, third)

    assert INITIALISED in first.seen
    assert INITIALISED not in second.seen + third.seen


def test_changed_module_is_initialised_again(bench):
    bench.plan()
    (bench.workspace.modules["m"] / "main.tf").write_text("# changed")
    control = RecordingControl()

    bench.plan(control)

    assert INITIALISED in control.seen


def test_lock_file_is_kept_beside_the_state(bench):
    bench.plan()

    assert (bench.folder / "state" / ".terraform.lock.hcl").read_text().startswith("# locked")


def test_its_owner_learns_by_what_a_plan_is_made_and_applied(bench):
    control = RecordingControl()
    bench.apply(bench.plan(control), control)

    folder = bench.settings.data_root / "working" / str(bench.run_id)
    always = "-input=false -no-color -lock-timeout=1s"
    assert [tools.command for tools in control.tools] == [
        f"terraform plan {always} -out={folder}/plan.tfplan",
        f"terraform apply {always} {folder}/plan.tfplan",
    ]
    for tools in control.tools:
        assert tools.terraform == "1.11.4"
        assert tools.providers == {"registry.terraform.io/hashicorp/aws": "6.2.0"}


def test_nothing_is_planned_whose_owner_may_not_have_it_any_more(bench, tmp_path):
    class Refusing(RecordingControl):
        def begins(self, tools: Tools) -> None:
            raise HoldLost("another worker has it")

    with pytest.raises(HoldLost):
        bench.plan(Refusing(), **stand_in_mode(f"write arguments={tmp_path / 'arguments'}"))
    assert '["plan' not in (tmp_path / "arguments").read_text()


def test_terraform_sees_the_allow_list_and_what_the_workspace_gives(bench, tmp_path, monkeypatch):
    monkeypatch.setenv("TF_CLI_ARGS", "-destroy")
    monkeypatch.setenv("SECRET_OF_THE_WORKER", "x")

    bench.plan(
        environment={"AWS_REGION": "eu-central-1", "STAND_IN": f"write environment={tmp_path / 'seen'}"}
    )

    seen = set(json.loads((tmp_path / "seen").read_text())) - set(PASSED_ON) - {"LC_CTYPE"}
    assert seen == {
        *("PATH", "HOME", "TMPDIR", "TF_DATA_DIR", "TF_CLI_CONFIG_FILE", "TF_IN_AUTOMATION", "TF_INPUT"),
        *("CHECKPOINT_DISABLE", "AWS_REGION", "STAND_IN"),
    }


def test_commands_ask_nothing_and_wait_for_the_lock_a_while(bench, tmp_path):
    mode = stand_in_mode(f"write arguments={tmp_path / 'arguments'}")

    bench.apply(bench.plan(**mode), **mode)

    folder = bench.settings.data_root / "working" / str(bench.run_id)
    assert [json.loads(line) for line in (tmp_path / "arguments").read_text().splitlines()] == [
        ["init", "-input=false", "-no-color"],
        ["plan", "-input=false", "-no-color", "-lock-timeout=1s", f"-out={folder}/plan.tfplan"],
        ["show", "-json", f"{folder}/plan.tfplan"],
        ["apply", "-input=false", "-no-color", "-lock-timeout=1s", f"{folder}/plan.tfplan"],
        ["output", "-json"],
    ]


def test_outputs_that_nobody_wants_are_not_read(bench, tmp_path):
    mode = stand_in_mode(f"write arguments={tmp_path / 'arguments'}")

    applied = bench.apply(bench.plan(**mode), wants_outputs=False, **mode)

    assert applied == Applied(outputs={})
    assert '["output' not in (tmp_path / "arguments").read_text()


def test_working_directory_is_removed_after_a_plan_and_after_an_apply(bench):
    planned = bench.plan()
    assert bench.working == []

    bench.apply(planned)
    assert bench.working == []


@pytest.mark.parametrize("verb", ["init", "plan", "show"])
def test_failed_command_fails_the_run_and_its_directory_is_removed(bench, verb):
    with pytest.raises(TerraformFailed, match="it failed"):
        bench.plan(**stand_in_mode(f"fail={verb}"))

    assert bench.working == []


def test_failed_init_is_not_taken_for_a_prepared_one(bench):
    with pytest.raises(TerraformFailed):
        bench.plan(**stand_in_mode("fail=init"))
    control = RecordingControl()

    bench.plan(control)

    assert INITIALISED in control.seen


@pytest.mark.parametrize("run", ["plan", "apply"])
def test_state_that_is_gone_is_refused_before_terraform_starts(bench, run):
    planned, control = bench.plan(), RecordingControl()
    known = {"last_state": StateIdentity(lineage="one", serial=7)}

    with pytest.raises(StateUnfit, match=r"terraform\.tfstate is gone"):
        bench.plan(control, **known) if run == "plan" else bench.apply(planned, control, **known)

    assert control.groups == []


def test_run_says_which_state_it_had(bench):
    assert bench.plan().state is None

    (bench.folder / "state" / "terraform.tfstate").write_text(
        json.dumps({"version": 4, "terraform_version": "1.11.4", "lineage": "one", "serial": 7})
    )
    planned = bench.plan()

    assert planned.state == bench.apply(planned).state == StateIdentity(lineage="one", serial=7)


def test_state_that_could_not_be_written_is_kept_and_named(bench):
    planned = bench.plan()

    with pytest.raises(StateUnsaved, match="The state could not be written") as caught:
        bench.apply(planned, **stand_in_mode("lose state"))

    kept = bench.folder / "unsaved" / str(bench.run_id)
    assert str(kept) in str(caught.value)
    assert kept.read_bytes().startswith(b"BG1")
    assert bench.settings.unsaved_states.get(str(bench.run_id)) == b"{}"
    assert bench.working == []


def state(serial: int, lineage: str = "one") -> bytes:
    return json.dumps(
        {"version": 4, "terraform_version": "1.11.4", "lineage": lineage, "serial": serial}
    ).encode()


@dataclass
class Unsaved:
    """A state that an earlier run could not write, and how often it was settled."""

    bench: Bench
    settled: int = 0

    def plan(self, content: bytes, *, stored: bytes | None) -> Planned:
        stored_at = self.bench.folder / "state" / "terraform.tfstate"
        stored_at.parent.mkdir(exist_ok=True)
        if stored is not None:
            stored_at.write_bytes(stored)
        unsaved = UnsavedState(content=content, place="the store", settled=self._settle)
        return self.bench.plan(unsaved=unsaved)

    def _settle(self) -> None:
        self.settled += 1


@pytest.mark.parametrize("stored", [None, state(6), state(7)])
def test_state_that_an_earlier_run_could_not_write_is_pushed_before_the_plan(bench, stored):
    unsaved = Unsaved(bench)

    planned = unsaved.plan(state(7), stored=stored)

    assert planned.state == StateIdentity(lineage="one", serial=7)
    assert unsaved.settled == 1


@pytest.mark.parametrize("stored", [state(8), state(6, "another")])
def test_state_that_does_not_go_on_from_the_stored_one_is_left_to_a_person(bench, stored):
    unsaved = Unsaved(bench)

    with pytest.raises(UnsavedUnfit, match="the store"):
        unsaved.plan(state(7), stored=stored)

    assert (bench.folder / "state" / "terraform.tfstate").read_bytes() == stored
    assert unsaved.settled == 0


@pytest.mark.parametrize(("forgets", "forgotten"), [(True, [["aws_x.cut"]]), (False, [])])
def test_what_was_interrupted_while_it_was_made_is_forgotten_before_the_plan_where_it_shall_be(
    bench, forgets, forgotten
):
    cut = {"type": "aws_x", "name": "cut", "instances": [{"status": "tainted"}]}
    stored_at, arguments = bench.folder / "state" / "terraform.tfstate", bench.folder / "arguments"
    stored_at.parent.mkdir()
    stored_at.write_text(json.dumps({**json.loads(state(7)), "resources": [cut]}))
    bench.plan(forgets_tainted=forgets, **stand_in_mode(f"write arguments={arguments}"))
    commands = [json.loads(line) for line in arguments.read_text().splitlines()]
    assert [command[3:] for command in commands if command[:2] == ["state", "rm"]] == forgotten
    assert commands[-2][0] == "plan"


def test_state_that_is_none_is_not_pushed(bench):
    with pytest.raises(StateUnfit, match="damaged"):
        Unsaved(bench).plan(b"{}", stored=state(6))


@pytest.mark.fault
def test_state_that_cannot_even_be_kept_elsewhere_stays_where_terraform_left_it(bench, monkeypatch):
    planned = bench.plan()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(bench.settings.unsaved_states, "put", full)

    with pytest.raises(StateUnsaved, match=r"root/errored\.tfstate"):
        bench.apply(planned, **stand_in_mode("lose state"))

    (left,) = bench.working
    assert (left / "root" / "errored.tfstate").stat().st_mode & 0o777 == 0o600


def test_what_a_dead_worker_left_is_put_away_by_another_process(bench):
    lost = uuid4()
    root = working_dir.make(bench.settings.data_root, lost).root
    (root / "errored.tfstate").write_text("the only one")

    place = executor.put_away(lost, bench.settings)

    assert place == bench.settings.unsaved_states.place(str(lost))
    assert bench.settings.unsaved_states.get(str(lost)) == b"the only one"
    assert bench.working == []
    assert executor.put_away(lost, bench.settings) is None


def test_last_look_is_at_the_plan_that_is_applied(bench):
    planned = bench.plan()
    looked: list[Plan] = []

    bench.apply(planned, before_apply=looked.append)

    assert looked == [planned.plan]


def test_refusal_at_the_last_look_keeps_terraform_from_starting(bench):
    planned, control = bench.plan(), RecordingControl()

    def refuse(_: object) -> None:
        raise ValueError("not now")

    with pytest.raises(ValueError, match="not now"):
        bench.apply(planned, control, before_apply=refuse)

    assert control.groups == []
    assert bench.working == []


@pytest.mark.parametrize("which", ["plan_sha256", "document_sha256"])
def test_changed_plan_is_refused_before_terraform_starts(bench, which):
    planned, control = bench.plan(), RecordingControl()
    bench.stored(getattr(planned, which)).write_text("{}")

    with pytest.raises(PlanTampered):
        bench.apply(planned, control)

    assert control.groups == []


def test_plan_that_is_gone_is_missing(bench):
    planned = bench.plan()
    bench.stored(planned.plan_sha256).unlink()

    with pytest.raises(PlanMissing):
        bench.apply(planned)


def test_run_that_is_cancelled_before_it_begins_starts_nothing(bench):
    control = RecordingControl(stop_when=lambda _: True)

    with pytest.raises(RunCancelled, match="asked to stop"):
        bench.plan(control)

    assert control.groups == []


@pytest.mark.fault
@pytest.mark.parametrize("verb", ["init", "plan"])
def test_plan_is_cancelled_in_the_middle_of_a_command(bench, verb):
    with pytest.raises(RunCancelled, match="asked to stop"):
        bench.plan(when_hanging(), **stand_in_mode(f"hang={verb}"))

    assert bench.working == []


@pytest.mark.fault
def test_apply_is_cancelled_in_the_middle(bench):
    planned = bench.plan()

    with pytest.raises(RunCancelled, match="asked to stop"):
        bench.apply(planned, when_hanging(), **stand_in_mode("hang=apply"))

    assert bench.working == []


@pytest.mark.fault
def test_run_that_takes_too_long_is_ended_with_its_last_lines(bench, monkeypatch):
    passed = [0.0]
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + passed[0])
    monkeypatch.setattr(process, "time", clock)

    class Late(RecordingControl):
        def lines(self, lines: list[str]) -> None:
            passed[0] = bench.settings.time_limit_seconds if "hanging" in lines else 0.0

    with pytest.raises(RunTimedOut, match="hanging"):
        bench.plan(Late(), **stand_in_mode("hang=plan"))


def test_apply_that_was_done_counts_although_a_stop_came_too_late(bench):
    planned = bench.plan()
    control = RecordingControl(stop_when=lambda seen: "applied" in seen)

    assert bench.apply(planned, control, **stand_in_mode("finish anyway")) == Applied(outputs={})


@pytest.mark.fault
def test_full_disk_is_named_with_its_place(bench):
    class Full(RecordingControl):
        def lines(self, lines: list[str]) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StorageFailed, match=f"No space left on device below {bench.settings.data_root}"):
        bench.plan(Full())


def test_other_trouble_with_files_is_not_taken_for_a_full_disk(bench):
    class Broken(RecordingControl):
        def lines(self, lines: list[str]) -> None:
            raise ConnectionResetError("by peer")

    with pytest.raises(ConnectionResetError):
        bench.plan(Broken())
