from pathlib import Path

import pytest

from terraform_runner.objects import LocalObjects


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store" / "things"


@pytest.fixture
def objects(folder: Path) -> LocalObjects:
    return LocalObjects(folder)


def test_an_object_comes_out_as_it_went_in_and_over_what_was_there(objects):
    objects.put("one", b"first")
    objects.put("one", b"second")

    assert objects.get("one") == b"second"


def test_what_was_never_put_there_is_none(objects):
    assert objects.get("one") is None
    assert list(objects.names()) == []


def test_a_removed_object_is_gone_and_may_be_removed_again(objects):
    objects.put("one", b"")
    objects.remove("one")
    objects.remove("one")

    assert objects.get("one") is None


def test_names_are_those_of_whole_objects(objects, folder):
    objects.put("b", b"")
    objects.put("a", b"")
    (folder / ".a.half-written").write_text("")

    assert list(objects.names()) == ["a", "b"]


def test_files_and_folder_are_private_and_have_a_place(objects, folder):
    objects.put("one", b"")

    assert objects.place("one") == str(folder / "one")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "one").stat().st_mode & 0o777 == 0o600


def test_a_link_is_not_followed(objects, folder, tmp_path):
    objects.put("one", b"")
    (tmp_path / "elsewhere").write_text("x")
    (folder / "two").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="symbolic links"):
        objects.get("two")


@pytest.mark.parametrize("name", ["", ".", "..", "../one", "a/b", "/etc/passwd", "a\n", "a" * 201, "ä"])
def test_a_name_that_leads_elsewhere_is_a_mistake_of_the_program(objects, name):
    with pytest.raises(ValueError, match="no object's name"):
        objects.put(name, b"")
