from pathlib import Path

import pytest

from terraform_runner.encrypted_objects import EncryptedObjects
from terraform_runner.encryption import KeyRing, key_id
from terraform_runner.errors import EncryptedDamaged, EncryptionKeyUnknown
from terraform_runner.objects import LocalObjects

OLD, NEW = KeyRing({"old": b"o" * 32}), KeyRing({"new": b"n" * 32})
BOTH = KeyRing({"new": b"n" * 32, "old": b"o" * 32})


def things(folder: Path, ring: KeyRing = OLD, name: str = "things") -> EncryptedObjects:
    return EncryptedObjects(LocalObjects(folder), ring, folder=name)


def test_an_object_comes_out_as_it_went_in(tmp_path):
    things(tmp_path).put("one", b"clear")

    assert things(tmp_path).get("one") == b"clear"
    assert b"clear" not in (tmp_path / "one").read_bytes()
    assert things(tmp_path).place("one") == str(tmp_path / "one")


def test_names_and_removal_are_the_store_s(tmp_path):
    things(tmp_path).put("one", b"")
    assert list(things(tmp_path).names()) == ["one"]

    things(tmp_path).remove("one")
    assert things(tmp_path).get("one") is None


def test_an_object_moved_to_another_name_or_folder_is_refused(tmp_path):
    things(tmp_path).put("one", b"clear")
    (tmp_path / "two").write_bytes((tmp_path / "one").read_bytes())

    with pytest.raises(EncryptedDamaged):
        things(tmp_path).get("two")
    with pytest.raises(EncryptedDamaged):
        things(tmp_path, name="others").get("one")


def test_after_renewal_the_old_key_is_needed_no_more(tmp_path):
    things(tmp_path, OLD).put("one", b"clear")

    assert things(tmp_path, BOTH).renew("one") is True
    assert key_id((tmp_path / "one").read_bytes()) == "new"
    assert things(tmp_path, NEW).get("one") == b"clear"


def test_what_is_current_or_gone_is_not_renewed(tmp_path):
    things(tmp_path, BOTH).put("one", b"clear")
    before = (tmp_path / "one").read_bytes()

    assert things(tmp_path, BOTH).renew("one") is False
    assert things(tmp_path, BOTH).renew("two") is False
    assert (tmp_path / "one").read_bytes() == before


def test_what_no_key_opens_is_said_and_left(tmp_path):
    things(tmp_path, OLD).put("one", b"clear")

    with pytest.raises(EncryptionKeyUnknown):
        things(tmp_path, NEW).renew("one")
    assert things(tmp_path, OLD).get("one") == b"clear"
