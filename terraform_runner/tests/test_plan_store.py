import hashlib
from pathlib import Path

import pytest

from terraform_runner.errors import PlanMissing, PlanTampered
from terraform_runner.plan_store import PlanStore
from terraform_runner.tests.support import encrypted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "plans"


@pytest.fixture
def store(folder: Path) -> PlanStore:
    return PlanStore(encrypted(folder.parent, folder.name))


def test_plan_comes_out_as_it_went_in(store, tmp_path):
    digest = store.put(b"a plan")

    store.copy_to(digest, tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes() == b"a plan"
    assert digest == hashlib.sha256(b"a plan").hexdigest()


def test_json_comes_out_as_it_went_in(store):
    assert store.read_json(store.put(b'{"a": [1]}')) == {"a": [1]}


def test_store_and_copies_are_private(store, folder, tmp_path):
    digest = store.put(b"a plan")
    store.copy_to(digest, tmp_path / "copy")

    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / digest).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600


def test_same_plan_is_kept_once(store, folder):
    assert store.put(b"a plan") == store.put(b"a plan")
    assert len(list(folder.iterdir())) == 1


def test_nothing_of_a_plan_is_readable_in_the_store(store, folder):
    digest = store.put(b"a plan with a secret")

    assert b"secret" not in (folder / digest).read_bytes()


def test_another_plan_of_the_store_under_its_name_is_refused(store, folder, tmp_path):
    """It is encrypted with the right key, but it is not the plan that was approved."""
    approved, other = store.put(b"approved"), store.put(b"other")
    (folder / other).replace(folder / approved)

    with pytest.raises(PlanTampered, match="not the one that was made and approved"):
        store.copy_to(approved, tmp_path / "copy")


def test_content_that_somebody_with_the_key_put_there_is_refused(store, folder, tmp_path):
    digest = store.put(b"approved")
    encrypted(folder.parent, folder.name).put(digest, b"something else")

    with pytest.raises(PlanTampered):
        store.copy_to(digest, tmp_path / "copy")


def test_removed_plan_is_missing(store):
    digest = store.put(b"{}")
    store.remove(digest)

    with pytest.raises(PlanMissing):
        store.read_json(digest)


def test_changed_plan_is_refused_and_not_copied(store, folder, tmp_path):
    digest = store.put(b"a plan")
    (folder / digest).write_bytes(b"another plan")

    with pytest.raises(PlanTampered):
        store.copy_to(digest, tmp_path / "copy")

    assert not (tmp_path / "copy").exists()


def test_changed_json_is_refused(store, folder):
    digest = store.put(b"{}")
    (folder / digest).write_bytes(b'{"a": 1}')

    with pytest.raises(PlanTampered):
        store.read_json(digest)


def test_plan_that_became_a_link_is_refused(store, folder, tmp_path):
    digest = store.put(b"a plan")
    (folder / digest).rename(tmp_path / "elsewhere")
    (folder / digest).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(PlanTampered):
        store.copy_to(digest, tmp_path / "copy")


def test_plan_that_is_gone_is_missing(store, tmp_path):
    with pytest.raises(PlanMissing):
        store.copy_to("0" * 64, tmp_path / "copy")


def test_copy_never_goes_through_a_link(store, tmp_path):
    digest = store.put(b"a plan")
    (tmp_path / "copy").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(FileExistsError):
        store.copy_to(digest, tmp_path / "copy")

    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.fault
def test_plan_that_could_not_be_written_whole_is_not_there(store, folder, monkeypatch):
    def fail(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", fail)

    with pytest.raises(OSError, match="no space left"):
        store.put(b"a plan")

    assert list(folder.iterdir()) == []
