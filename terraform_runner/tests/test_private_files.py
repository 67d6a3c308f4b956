from pathlib import Path

import pytest

from terraform_runner import private_files


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_missing_folders_above_are_private_too(tmp_path):
    private_files.make_private_directory(tmp_path / "a/b/c")

    assert {mode(tmp_path / "a"), mode(tmp_path / "a/b"), mode(tmp_path / "a/b/c")} == {0o700}


def test_folder_that_is_there_stays_as_it_is(tmp_path):
    (tmp_path / "a").mkdir(mode=0o755)

    assert private_files.make_private_directory(tmp_path / "a") == tmp_path / "a"
    assert mode(tmp_path / "a") == 0o755


def test_new_file_is_private_and_never_goes_over_another(tmp_path):
    private_files.write_new(tmp_path / "a", b"first")

    with pytest.raises(FileExistsError):
        private_files.write_new(tmp_path / "a", b"second")

    assert (tmp_path / "a").read_bytes() == b"first"
    assert mode(tmp_path / "a") == 0o600


def test_file_is_replaced_by_a_private_one(tmp_path):
    (tmp_path / "a").write_text("old")
    (tmp_path / "a").chmod(0o644)

    private_files.replace(tmp_path / "a", b"new")

    assert (tmp_path / "a").read_bytes() == b"new"
    assert mode(tmp_path / "a") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.fault
def test_old_file_stays_when_the_new_one_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("old")

    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.replace", fail)

    with pytest.raises(OSError, match="no space left"):
        private_files.replace(tmp_path / "a", b"new")

    assert (tmp_path / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
