import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terraform_runner.encryption import InvalidKeys, KeyRing, key_id, make_key, parse_keys
from terraform_runner.errors import EncryptedDamaged, EncryptionKeyUnknown

OLD, NEW = b"o" * 32, b"n" * 32
RING = KeyRing({"old": OLD})
ROTATED = KeyRing({"new": NEW, "old": OLD})
ZEROS = base64.urlsafe_b64encode(bytes(32)).decode()


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_what_was_encrypted_comes_back_in_its_context(clear, context):
    assert RING.decrypt(RING.encrypt(clear, context=context), context=context) == clear


def test_clear_bytes_and_context_do_not_appear_in_it():
    encrypted = RING.encrypt(b"the secret", context=b"the place")

    assert b"the secret" not in encrypted
    assert b"the place" not in encrypted


def test_the_same_bytes_never_look_the_same():
    assert RING.encrypt(b"x", context=b"") != RING.encrypt(b"x", context=b"")


def test_it_is_of_no_use_in_another_place():
    encrypted = RING.encrypt(b"x", context=b"plan a")

    with pytest.raises(EncryptedDamaged, match="was changed or cut off, or belongs elsewhere"):
        RING.decrypt(encrypted, context=b"plan b")


@given(st.data())
def test_any_changed_byte_is_found(data):
    encrypted = bytearray(RING.encrypt(b"some clear bytes", context=b""))
    position = data.draw(st.integers(0, len(encrypted) - 1))
    encrypted[position] ^= data.draw(st.integers(1, 255))

    with pytest.raises((EncryptedDamaged, EncryptionKeyUnknown)):
        RING.decrypt(bytes(encrypted), context=b"")


@given(st.data())
def test_whatever_is_cut_off_is_found(data):
    encrypted = RING.encrypt(b"some clear bytes", context=b"")

    with pytest.raises(EncryptedDamaged):
        RING.decrypt(encrypted[: data.draw(st.integers(0, len(encrypted) - 1))], context=b"")


@pytest.mark.parametrize("content", [b"", b"BG1", b"BG1\x00", b"{}", b"BG1\x03new", b"BG1\x02\xff\xffxxxx"])
def test_what_was_never_encrypted_is_not_taken_for_it(content):
    with pytest.raises(EncryptedDamaged):
        ROTATED.decrypt(content, context=b"")


def test_an_id_cannot_be_exchanged_for_another_key_of_the_ring():
    twins = KeyRing({"aaa": OLD, "bbb": OLD})
    encrypted = twins.encrypt(b"x", context=b"")

    with pytest.raises(EncryptedDamaged):
        twins.decrypt(encrypted.replace(b"aaa", b"bbb", 1), context=b"")


def test_after_a_change_of_keys_the_new_one_encrypts_and_both_decrypt():
    before = RING.encrypt(b"x", context=b"")
    after = ROTATED.encrypt(b"y", context=b"")

    assert (key_id(before), key_id(after)) == ("old", "new")
    assert ROTATED.decrypt(before, context=b"") == b"x"
    assert ROTATED.decrypt(after, context=b"") == b"y"


def test_a_renewed_text_needs_the_old_key_no_more():
    renewed = ROTATED.renew(RING.encrypt(b"x", context=b"here"), context=b"here")

    assert KeyRing({"new": NEW}).decrypt(renewed, context=b"here") == b"x"
    assert ROTATED.renew(renewed, context=b"here") == renewed


def test_a_key_that_is_gone_is_named():
    encrypted = RING.encrypt(b"x", context=b"")

    with pytest.raises(EncryptionKeyUnknown, match=r"with the key “old”.*Add that key again"):
        KeyRing({"new": NEW}).decrypt(encrypted, context=b"")


def test_keys_are_read_in_their_order():
    ring = parse_keys(f" {make_key('b')}, {make_key('a')},")

    assert key_id(ring.encrypt(b"x", context=b"")) == "b"


def test_made_keys_differ_and_fit():
    assert make_key("a") != make_key("a")
    assert parse_keys(make_key("a"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "there is no key in it"),
        (" , ", "there is no key in it"),
        (ZEROS, "key 1 has no id"),
        (f"a:{ZEROS},:{ZEROS}", "key 2 has no id"),
        (f"a:{ZEROS},a:{ZEROS}", "the id “a” is there twice"),
        ("a:", "the key “a” is not 32 bytes in base64url"),
        (f"a:{ZEROS[4:]}", "the key “a” is not 32 bytes in base64url"),
        (f"a:{ZEROS[:-1]}", "the key “a” is not 32 bytes in base64url"),
        (f"a:ä{ZEROS[1:]}", "the key “a” is not 32 bytes in base64url"),
        (f"a:!{ZEROS[1:]}", "the key “a” is not 32 bytes in base64url"),
    ],
)
def test_keys_that_are_none_are_refused_in_words_without_showing_them(text, problem):
    with pytest.raises(InvalidKeys) as refused:
        parse_keys(text)
    assert str(refused.value).startswith(problem)
    assert "AAAA" not in str(refused.value)
