"""Checks an exported trail without the application: ``python check_chain.py EXPORT CHECKPOINTS PUBLIC_KEY``.

This file stands alone, so that an auditor can read it and copy it: it needs Python 3.11 and, for the signatures, the
package ``cryptography``. What it checks is written in ``docs/audit.md``. ``manage.py audit_verify`` does the same with
the database, by the same functions.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NOTHING_BEFORE = "0" * 64
PLACE = ("number", "hash", "digest", "at")


class Event(NamedTuple):
    """One event with its place in the chain; ``content`` is JSON text, None where only the place is left."""

    number: int
    hash: str
    id: str
    at: str
    digest: str
    content: str | None


class Checkpoint(NamedTuple):
    """That the chain's event of this number had this hash, or one that begins so, at that moment."""

    number: int
    hash: str
    at: str


class Sound(NamedTuple):
    """Nothing was found: so many events, of which the last has this hash, and so many checkpoints agree."""

    events: int
    hash: str
    checkpoints: int


class Broken(Exception):
    """The first event that is not as it was recorded: its number, and what is wrong in a word and in a sentence."""

    def __init__(self, number: int, kind: str, words: str) -> None:
        super().__init__(words)
        self.number, self.kind, self.words = number, kind, words


def check(events: Iterable[Event], checkpoints: Iterable[Checkpoint]) -> Sound:
    """Walk the chain in the order of its numbers, and the checkpoints, in the order of theirs, beside it.

    Raises :class:`Broken` at the first event that was changed, is missing or is out of order.
    """
    number, previous, agreed = 0, NOTHING_BEFORE, 0
    waiting = iter(checkpoints)
    expected = next(waiting, None)
    for event in events:
        previous, number = _checked(event, number + 1, previous), number + 1
        while expected and expected.number <= number:
            _compare(expected, previous)
            agreed += 1
            expected = next(waiting, None)
    if expected:
        raise Broken(
            number + 1,
            "missing",
            f"Event {number + 1} is missing: the trail ends with event {number}, but the checkpoint of "
            f"{expected.at} has event {expected.number}. The end was cut off, or an old backup restored.",
        )
    return Sound(number, previous, agreed)


def read_events(lines: Iterable[str]) -> Iterator[Event]:
    """The events of an export: JSON Lines, in the order of their numbers."""
    for line in lines:
        event = json.loads(line)
        number, found, digest, at = (event.pop(name) for name in PLACE)
        content = json.dumps(event) if len(event) > 1 else None
        yield Event(number, found, event["id"], at, digest, content)


def read_checkpoints(documents: Iterable[bytes], public_keys: Iterable[str]) -> Iterator[Checkpoint]:
    """The checkpoints, each with a signature by one of these keys (the 32 bytes of an Ed25519 key as Base64).

    Raises :class:`Broken` at one that none of them has signed.
    """
    keys = [Ed25519PublicKey.from_public_bytes(base64.b64decode(key)) for key in public_keys]
    for document in documents:
        try:
            fields = json.loads(document)
            checkpoint = Checkpoint(int(fields["number"]), fields["hash"], fields["at"])
            is_signed = any(_has_signed(key, checkpoint, fields["signature"]) for key in keys)
        except (ValueError, KeyError, TypeError):
            raise Broken(0, "forged", f"A checkpoint cannot be read: {document[:80]!r}") from None
        if not is_signed:
            words = f"The checkpoint of {checkpoint.at}, of event {checkpoint.number}, has no signature of a known key."
            raise Broken(checkpoint.number, "forged", words)
        yield checkpoint


def signed_text(checkpoint: Checkpoint) -> bytes:
    """What a checkpoint's signature is of."""
    return f"bluegreen audit checkpoint {checkpoint.number} {checkpoint.hash} {checkpoint.at}".encode()


def _has_signed(key: Ed25519PublicKey, checkpoint: Checkpoint, signature: str) -> bool:
    try:
        key.verify(base64.b64decode(signature), signed_text(checkpoint))
    except InvalidSignature:
        return False
    return True


def _checked(event: Event, number: int, previous: str) -> str:
    """The hash of an event that is the one with this number."""
    if event.number != number:
        raise Broken(
            number, "missing", f"Event {number} is missing: the next one that is there is {event.number}."
        )
    if event.content is None:
        raise Broken(
            number, "missing", f"Event {number} ({event.id}) is missing: only its place in the chain is left."
        )
    if digest_of(event.content) != event.digest:
        raise Broken(
            number, "changed", f"Event {number} ({event.id}) was changed: its content has another digest."
        )
    if link_hash(number=number, at=event.at, previous=previous, digest=event.digest) != event.hash:
        raise Broken(
            number,
            "out-of-order",
            f"Event {number} ({event.id}) does not go on from event {number - 1}: it was put in, moved or "
            "rewritten here, or events before it were taken away.",
        )
    return event.hash


def _compare(checkpoint: Checkpoint, found: str) -> None:
    if not found.startswith(checkpoint.hash):
        raise Broken(
            checkpoint.number,
            "rewritten",
            f"Event {checkpoint.number}, or one before it, was rewritten with new hashes: the checkpoint of "
            f"{checkpoint.at} has another hash.",
        )


def link_hash(*, number: int, at: str, previous: str, digest: str) -> str:
    """By which an event is bound to the one before it; the database computes the same when it is recorded."""
    return _sha256(f"{number} {at} {previous} {digest}".encode())


def digest_of(content: str) -> str:
    """SHA-256 of the canonical JSON of an event's content, without what is empty."""
    return _sha256(canonical(content))


def canonical(content: str) -> bytes:
    """A JSON object in the form of RFC 8785, without its members that are "" or {}."""
    try:
        text = _ENCODER.encode(_filled(_PLAIN.decode(content)))
        if text.isascii() or not _BEYOND_16_BITS.search(text):
            return text.encode()
    except _Unusual:
        pass
    return _written(_filled(json.loads(content))).encode()


class _Unusual(Exception):
    """Python's quick writer would write this number in another way than RFC 8785."""


def _unusual(_: str) -> NoReturn:
    raise _Unusual


def _small(digits: str) -> int:
    return int(digits) if len(digits) < 16 else _unusual(digits)


_PLAIN = json.JSONDecoder(parse_float=_unusual, parse_int=_small)
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_BEYOND_16_BITS = re.compile("[\U00010000-\U0010ffff]")


def _filled(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if value not in ("", {})}


def _written(value: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(f"{_written(name)}:{_written(value[name])}" for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number(float(value))
    return _ENCODER.encode(value)


def _number(value: float) -> str:
    """A number as JavaScript writes it."""
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text, minus = "".join(map(str, digits)), "-" * sign
    point = len(text) + int(exponent)
    if len(text) <= point <= 21:
        return f"{minus}{text}{'0' * (point - len(text))}"
    if 0 < point <= 21:
        return f"{minus}{text[:point]}.{text[point:]}"
    if -6 < point <= 0:
        return f"{minus}0.{'0' * -point}{text}"
    rest = f".{text[1:]}" if text[1:] else ""
    return f"{minus}{text[0]}{rest}e{point - 1:+d}"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Say what is found; 0 if all is as it was recorded, 1 if not."""
    parser = argparse.ArgumentParser(description="Check an exported audit trail.")
    parser.add_argument("export", type=Path, help="what `manage.py audit_export` wrote")
    parser.add_argument("checkpoints", type=Path, help="a folder with the checkpoints")
    parser.add_argument("public_key", nargs="+", help="what `manage.py audit_checkpoint --public-key` says")
    asked = parser.parse_args(arguments)
    documents = (path.read_bytes() for path in sorted(asked.checkpoints.glob("*.json")))
    try:
        with asked.export.open(encoding="utf-8") as lines:
            sound = check(read_events(lines), read_checkpoints(documents, asked.public_key))
    except Broken as found:
        print(found.words)
        return 1
    print(
        f"All is as it was recorded. Events: {sound.events}; checkpoints: {sound.checkpoints}; hash: {sound.hash}."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
