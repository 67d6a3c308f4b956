"""FAULTS W13: a small file system of its own that is full, wherever a run keeps something."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from infra.local.tests.small_disk import small_disk
from terraform_runner import executor
from terraform_runner.errors import StorageFailed
from terraform_runner.executor import RunnerSettings, Workspace
from terraform_runner.objects import LocalObjects
from terraform_runner.plan_store import PlanStore
from terraform_runner.state import LocalState
from terraform_runner.tests.support import RecordingControl, encrypted, stand_in

pytestmark = pytest.mark.fault

KILOBYTE = 1024
# So much free that it ends at one place after the other: working directory, module, plan, its JSON, lock file, ….
FREE = range(0, 130, 10)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", size="512k") as place:
        yield place


@contextmanager
def filled(disk: Path, *, but: int) -> Iterator[None]:
    """All but so many kilobytes are taken meanwhile."""
    status = os.statvfs(disk)
    filler = disk / "filler"
    filler.write_bytes(b"x" * max(0, status.f_bavail * status.f_frsize - but * KILOBYTE))
    yield
    filler.unlink()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    module = tmp_path / "module"
    module.mkdir()
    (module / "main.tf").write_text("# a module\n" * 2000)
    return Workspace(
        key="one",
        root={"module": {"m": {"source": "./modules/m"}}},
        variables={},
        modules={"m": module},
        environment={},
        state=LocalState(folder=tmp_path / "state"),
        secrets=(),
    )


def runner(folder: Path, *, data_root: Path, store: LocalObjects) -> RunnerSettings:
    return RunnerSettings(
        binary=stand_in(folder),
        data_root=data_root,
        plans=PlanStore(store),
        unsaved_states=encrypted(folder, "unsaved"),
        mirror=None,
        time_limit_seconds=60,
        grace_seconds=5,
        lock_timeout_seconds=1,
    )


def plan(workspace: Workspace, settings: RunnerSettings) -> str:
    control = RecordingControl()
    return executor.plan(run_id=uuid4(), workspace=workspace, settings=settings, control=control).plan_sha256


def _told(disk: Path, free: int, workspace: Workspace, settings: RunnerSettings) -> str:
    """What is said of a plan for which so many kilobytes are free; empty if it is made."""
    with filled(disk, but=free):
        try:
            plan(workspace, settings)
        except StorageFailed as error:
            return error.message
        finally:
            check_whole(LocalObjects(disk / "plans"))
            assert list((settings.data_root / "working").glob("*")) == []
    return ""


def check_whole(store: LocalObjects) -> None:
    """Whatever is there under a digest has that digest."""
    for name in store.names():
        assert hashlib.sha256(store.get(name) or b"").hexdigest() == name


def test_a_full_disk_is_named_leaves_nothing_and_the_next_try_goes_on(disk, workspace, tmp_path):
    store = LocalObjects(disk / "plans")
    settings = runner(tmp_path, data_root=disk / "terraform", store=store)
    told = [_told(disk, free, workspace, settings) for free in FREE]
    said = [words for words in told if words]
    assert 2 <= len(said) < len(told)
    assert all("no space left on device" in words.lower() and "Make room there" in words for words in said)
    assert any(f"below {settings.data_root}" in words for words in said)
    assert plan(workspace, settings) in set(store.names())


def test_a_plan_that_has_no_room_in_its_store_is_not_there(disk, workspace, tmp_path):
    store = LocalObjects(disk / "plans")
    settings = runner(tmp_path, data_root=tmp_path / "data", store=store)
    with filled(disk, but=0), pytest.raises(StorageFailed, match="No space left on device"):
        plan(workspace, settings)
    assert list(store.names()) == []
    assert plan(workspace, settings) in set(store.names())
