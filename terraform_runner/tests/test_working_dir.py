import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from terraform_runner import working_dir
from terraform_runner.errors import ModuleInvalid
from terraform_runner.working_dir import WorkingDirectory


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[WorkingDirectory]:
    run_id = uuid4()
    yield working_dir.make(tmp_path / "data", run_id)
    working_dir.discard(tmp_path / "data", run_id)


@pytest.fixture
def module(tmp_path: Path) -> Path:
    folder = tmp_path / "module"
    (folder / "files").mkdir(parents=True)
    (folder / "main.tf").write_text("# main")
    (folder / "files/policy.json").write_text("{}")
    return folder


def render(directory: WorkingDirectory, module: Path) -> None:
    working_dir.render(directory, root={"a": 1}, variables={"b": 2}, modules={"m": module})


def test_everything_in_it_is_private(directory, module):
    render(directory, module)

    paths = list(directory.path.parent.rglob("*"))
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_file()} == {0o600}


def test_root_variables_and_modules_are_rendered(directory, module):
    render(directory, module)

    assert json.loads((directory.root / "main.tf.json").read_text()) == {"a": 1}
    assert json.loads((directory.root / "service.auto.tfvars.json").read_text()) == {"b": 2}
    assert (directory.root / "modules/m/main.tf").read_text() == "# main"
    assert (directory.root / "modules/m/files/policy.json").read_text() == "{}"


@pytest.mark.parametrize(
    "left", [".terraform/x", "terraform.tfstate", "terraform.tfstate.backup", "tests/a.tftest.hcl"]
)
def test_what_other_runs_left_beside_the_module_is_not_copied(directory, module, left):
    (module / left).parent.mkdir(exist_ok=True)
    (module / left).write_text("left")

    render(directory, module)

    assert not (directory.root / "modules/m" / left).exists()


def test_link_that_leaves_the_module_is_refused(directory, module, tmp_path):
    (tmp_path / "outside").write_text("secret")
    (module / "inside.tf").symlink_to(tmp_path / "outside")

    with pytest.raises(ModuleInvalid, match=r"inside\.tf"):
        render(directory, module)


def test_folder_that_is_a_link_out_of_the_module_is_refused(directory, module, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("secret")
    (module / "inside").symlink_to(tmp_path / "outside")

    with pytest.raises(ModuleInvalid, match="inside"):
        render(directory, module)


def test_link_within_the_module_is_followed(directory, module):
    (module / "again.tf").symlink_to("main.tf")

    render(directory, module)

    assert (directory.root / "modules/m/again.tf").read_text() == "# main"


def test_module_that_is_not_there_is_named(directory, tmp_path):
    with pytest.raises(ModuleInvalid, match="absent"):
        render(directory, tmp_path / "absent")


def test_folder_is_removed_when_it_is_discarded(tmp_path):
    run_id = uuid4()
    directory = working_dir.make(tmp_path, run_id)

    working_dir.discard(tmp_path, run_id)

    assert not directory.path.exists()
    assert not directory.temporary.exists()


def test_discarding_what_is_not_there_does_nothing(tmp_path):
    working_dir.discard(tmp_path, uuid4())

    assert os.listdir(tmp_path) == []


def test_state_that_terraform_could_not_write_is_found(tmp_path):
    run_id = uuid4()
    errored = working_dir.make(tmp_path, run_id).root / "errored.tfstate"
    assert working_dir.unsaved_state(tmp_path, run_id) is None

    errored.write_text("{}")

    assert working_dir.unsaved_state(tmp_path, run_id) == errored


def test_what_an_earlier_try_left_is_removed(tmp_path):
    run_id = uuid4()
    (working_dir.make(tmp_path, run_id).root / "old").write_text("old")

    assert os.listdir(working_dir.make(tmp_path, run_id).root) == []


def test_the_temporary_folder_has_a_short_path_wherever_the_data_is(tmp_path):
    """Providers put their sockets there, and a socket's whole path is limited to about a hundred bytes."""
    deep = tmp_path / ("d" * 100)
    run_id = uuid4()
    directory = working_dir.make(deep, run_id)
    assert len(str(directory.temporary)) < 70
    assert stat.S_IMODE(directory.temporary.stat().st_mode) == 0o700
    working_dir.discard(deep, run_id)
    assert not directory.temporary.exists()


def test_a_temporary_folder_that_somebody_else_has_made_is_not_used(tmp_path, monkeypatch):
    run_id = uuid4()
    theirs = working_dir.make(tmp_path, run_id).temporary
    monkeypatch.setattr("terraform_runner.working_dir.shutil.rmtree", lambda *_, **__: None)
    with pytest.raises(FileExistsError):
        working_dir.make(tmp_path, run_id)
    theirs.rmdir()
