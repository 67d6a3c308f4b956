"""Encrypts what must not be kept in the clear: AES-256-GCM with keys that are not in the database.

An encrypted text is ``BG1``, the length of the key's id in one byte, that id (ASCII), a nonce of 12 bytes, and the
ciphertext with its tag. All that stands before the nonce, and the caller's context, are authenticated with it, so
that a text is of no use in another place than the one for which it was made.
"""

import base64
import binascii
import os
import re
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from terraform_runner.errors import EncryptedDamaged, EncryptionKeyUnknown

KEY_BYTES = 32
# Random nonces of this length are safe for 2**32 texts by one key (NIST SP 800-38D, section 8.3).
NONCE_BYTES = 12
_MAGIC = b"BG1"
_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class InvalidKeys(ValueError):
    """The text is no list of keys; says what is wrong with it, without any part of a key."""


class KeyRing:
    """Keys by their ids: the first one encrypts, each of them decrypts what it has encrypted.

    So keys are changed without a pause: put a new one first, encrypt again what is stored, take the old one away.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """Each key has 32 bytes."""
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._first = next(iter(self._ciphers))

    def encrypt(self, clear: bytes, *, context: bytes) -> bytes:
        """Encrypt with the first key. ``context`` says what this is; it is needed again and kept nowhere."""
        head = _head(self._first)
        nonce = os.urandom(NONCE_BYTES)
        return head + nonce + self._ciphers[self._first].encrypt(nonce, clear, head + context)

    def decrypt(self, encrypted: bytes, *, context: bytes) -> bytes:
        """What was encrypted in this context. Raises EncryptionKeyUnknown or EncryptedDamaged."""
        name = key_id(encrypted)
        if name not in self._ciphers:
            raise EncryptionKeyUnknown(
                f"This was encrypted with the key “{name}”, which BLUEGREEN_ENCRYPTION_KEYS does not have any more. "
                "Add that key again."
            )
        head = _head(name)
        nonce, rest = encrypted[len(head) :][:NONCE_BYTES], encrypted[len(head) + NONCE_BYTES :]
        try:
            return self._ciphers[name].decrypt(nonce, rest, head + context)
        except (InvalidTag, ValueError) as error:  # ValueError: shorter than a nonce
            raise EncryptedDamaged(_DAMAGED) from error

    def is_current(self, encrypted: bytes) -> bool:
        """Whether the first key has encrypted this. Raises EncryptedDamaged."""
        return key_id(encrypted) == self._first

    def renew(self, encrypted: bytes, *, context: bytes) -> bytes:
        """The same, encrypted with the first key; as it is, if it is so already. Raises as ``decrypt`` does."""
        if self.is_current(encrypted):
            return encrypted
        return self.encrypt(self.decrypt(encrypted, context=context), context=context)


def key_id(encrypted: bytes) -> str:
    """The id of the key that has encrypted this. Raises EncryptedDamaged if it is no encrypted text."""
    start = len(_MAGIC) + 1
    length = encrypted[start - 1] if len(encrypted) > len(_MAGIC) else 0
    name = encrypted[start : start + length].decode("ascii", "replace")
    if not encrypted.startswith(_MAGIC) or len(name) != length or not _ID.fullmatch(name):
        raise EncryptedDamaged(_DAMAGED)
    return name


def parse_keys(text: str) -> KeyRing:
    """The keys of ``id:key,id:key``, each key 32 bytes in base64url. Raises InvalidKeys."""
    keys: dict[str, bytes] = {}
    for number, item in enumerate(filter(None, map(str.strip, text.split(","))), start=1):
        name, _, encoded = item.partition(":")
        if not _ID.fullmatch(name):
            raise InvalidKeys(
                f"key {number} has no id: write id:key, the id in letters, digits, “_”, “.”, “-”"
            )
        if name in keys:
            raise InvalidKeys(f"the id “{name}” is there twice")
        keys[name] = _decode(name, encoded)
    if not keys:
        raise InvalidKeys("there is no key in it")
    return KeyRing(keys)


def make_key(name: str) -> str:
    """A new key as ``parse_keys`` reads it."""
    return f"{name}:{base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()}"


_DAMAGED = (
    "What is stored here encrypted was changed or cut off, or belongs elsewhere: it cannot be read. "
    "Find out who changed it."
)


def _head(name: str) -> bytes:
    return _MAGIC + bytes([len(name)]) + name.encode("ascii")


def _decode(name: str, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):  # ValueError: not ASCII
        key = b""
    if len(key) != KEY_BYTES:
        raise InvalidKeys(f"the key “{name}” is not {KEY_BYTES} bytes in base64url")
    return key
