import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from terraform_runner import prepared, working_dir
from terraform_runner.errors import RunCancelled
from terraform_runner.working_dir import WorkingDirectory


@pytest.fixture
def directory(tmp_path: Path) -> WorkingDirectory:
    return rendered(tmp_path, module="# one")


def rendered(tmp_path: Path, *, module: str, variables: int = 0) -> WorkingDirectory:
    source = tmp_path / str(uuid4())
    source.mkdir()
    (source / "main.tf").write_text(module)
    directory = working_dir.make(tmp_path, uuid4())
    working_dir.render(directory, root={}, variables={"v": variables}, modules={"m": source})
    directory.cli_config.write_text("")
    return directory


def digest(directory: WorkingDirectory, version: str = "1.11.4") -> str:
    return prepared.digest_of(directory, terraform_version=version)


def test_other_run_of_the_same_configuration_has_the_same_digest(directory, tmp_path):
    assert digest(directory) == digest(rendered(tmp_path, module="# one", variables=7))


def test_other_module_has_another_digest(directory, tmp_path):
    assert digest(directory) != digest(rendered(tmp_path, module="# two"))


def test_other_version_lock_file_or_cli_configuration_has_another_digest(directory):
    digests = {digest(directory), digest(directory, "1.12.0")}
    directory.lock_file.write_text("# locked")
    digests.add(digest(directory))
    directory.cli_config.write_text("# other")
    digests.add(digest(directory))

    assert len(digests) == 4


def test_what_was_kept_is_taken_with_its_links(tmp_path):
    source = tmp_path / "source"
    (source / "providers").mkdir(parents=True)
    (source / "providers/aws").symlink_to("/a/provider")
    prepared.keep(tmp_path, "digest", source, unused_seconds=60)

    assert prepared.take(tmp_path, "digest", tmp_path / "taken")

    assert (tmp_path / "taken/providers/aws").readlink() == Path("/a/provider")


def test_without_one_that_fits_nothing_is_taken(tmp_path):
    assert not prepared.take(tmp_path, "digest", tmp_path / "taken")
    assert not (tmp_path / "taken").exists()


def test_second_of_the_same_digest_is_not_kept(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text("")
        prepared.keep(tmp_path, "digest", tmp_path / name, unused_seconds=60)

    prepared.take(tmp_path, "digest", tmp_path / "taken")

    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["first"]
    assert [path.name for path in (tmp_path / "prepared").iterdir()] == ["digest"]


def kept(tmp_path: Path, name: str, *, unused_for: float = 0) -> Path:
    source = tmp_path / f"source-of-{name}"
    source.mkdir()
    prepared.keep(tmp_path, name, source, unused_seconds=60)
    folder = tmp_path / "prepared" / name
    moment = time.time() - unused_for
    os.utime(folder, (moment, moment))
    return folder


def test_what_was_not_used_for_long_is_removed_when_another_one_is_kept(tmp_path):
    old, young = kept(tmp_path, "old", unused_for=61), kept(tmp_path, "young", unused_for=20)

    kept(tmp_path, "new")

    assert not old.exists()
    assert young.exists()
    assert {path.name for path in (tmp_path / "prepared").iterdir()} == {"young", "new"}


def test_what_is_used_again_is_young_again(tmp_path):
    kept(tmp_path, "old", unused_for=61)
    prepared.take(tmp_path, "old", tmp_path / "taken")

    kept(tmp_path, "new")

    assert prepared.take(tmp_path, "old", tmp_path / "taken again")


@pytest.mark.fault
def test_what_is_removed_while_it_is_taken_is_not_taken_in_part(tmp_path, monkeypatch):
    folder = kept(tmp_path, "old")
    (folder / "providers").mkdir()
    (folder / "modules").mkdir()
    copy_one = shutil.copystat

    def remove_meanwhile(*names: Any, **options: Any) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        copy_one(*names, **options)

    monkeypatch.setattr("shutil.copystat", remove_meanwhile)

    assert not prepared.take(tmp_path, "old", tmp_path / "taken")
    assert not (tmp_path / "taken").exists()


@pytest.mark.fault
def test_twenty_at_once_go_one_at_a_time(tmp_path):
    inside = threading.Semaphore(1)

    def enter(_: int) -> bool:
        with prepared.one_at_a_time(tmp_path, while_waiting=lambda: None):
            alone = inside.acquire(blocking=False)
            time.sleep(0.005)
            if alone:
                inside.release()
            return alone

    with ThreadPoolExecutor(20) as pool:
        assert all(pool.map(enter, range(20)))


def test_waiting_ends_when_the_run_is_cancelled(tmp_path):
    def cancelled() -> None:
        raise RunCancelled("asked to stop")

    with (
        prepared.one_at_a_time(tmp_path, while_waiting=lambda: None),
        pytest.raises(RunCancelled),
        prepared.one_at_a_time(tmp_path, while_waiting=cancelled),
    ):
        pass
