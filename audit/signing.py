"""Checkpoints: a signature that the chain had this end at this moment, by a key that is not in the database."""

import base64
import json
import re
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.canonical import moment
from audit.check_chain import Checkpoint, signed_text


class InvalidSigningKey(ValueError):
    """The text is no signing key."""


class SigningKey:
    """An Ed25519 key: its 32 secret bytes as Base64."""

    def __init__(self, text: str) -> None:
        try:
            self._key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(text, validate=True))
        except ValueError as error:
            raise InvalidSigningKey("a signing key is 32 bytes as Base64") from error

    @property
    def public(self) -> str:
        """By which whoever checks knows the signatures: 32 bytes as Base64."""
        return base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    def checkpoint(self, *, number: int, found: str, at: datetime) -> bytes:
        """The document that says that event ``number`` had the hash ``found`` at that moment."""
        checkpoint = Checkpoint(number, found, moment(at))
        signature = base64.b64encode(self._key.sign(signed_text(checkpoint))).decode()
        fields = {**checkpoint._asdict(), "public_key": self.public, "signature": signature}
        return json.dumps(fields, indent=2).encode() + b"\n"


def make_signing_key() -> str:
    """A new key's text."""
    return base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()


_NAME = re.compile(r"(\d{12})-([0-9a-f]{16})\.json")


def checkpoint_name(number: int, found: str) -> str:
    """The name under which it is kept: names are in the order of the numbers, and two ends never share one."""
    return f"{number:012d}-{found[:16]}.json"


def by_checkpoint_name(name: str) -> Checkpoint | None:
    """What a name says: the number and the beginning of the hash, without a signature; None if it is no such name."""
    found = _NAME.fullmatch(name)
    return Checkpoint(int(found[1]), found[2], "") if found else None
