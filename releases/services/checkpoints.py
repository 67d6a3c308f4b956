"""Checkpoints of the audit trail: made by a key that is not in the database, kept where the database's owner isn't."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from heapq import merge
from pathlib import Path
from secrets import token_hex

from django.conf import settings
from django.db import transaction

from audit import events, stored, verification
from audit.check_chain import Broken, Checkpoint, Sound, read_checkpoints
from audit.events import Actor
from audit.signing import SigningKey, checkpoint_name, make_signing_key
from releases.services import storage
from releases.services.lifecycle import now
from terraform_runner.objects import LocalObjects, Objects
from terraform_runner.private_files import make_private_directory, write_new

FOLDER = "checkpoints"
KEY_FILE = "audit-signing-key"
READ_AT_ONCE = 16
COMMAND = Actor(id="", name="manage.py audit_verify", via="command")


def make() -> str:
    """Keep a signed checkpoint of the chain's present end, unless there is one; gives where, or "".

    Raises ``AwsError`` and OSError.
    """
    number, found = stored.head()
    name, kept = checkpoint_name(number, found), storage.objects(FOLDER)
    if number == 0 or kept.get(name) is not None:
        return ""
    kept.put(name, signing_key().checkpoint(number=number, found=found, at=now()))
    return kept.place(name)


def verify(elsewhere: Path | None = None) -> Sound:
    """Check the whole trail against the checkpoints in the store, and those that somebody has kept ``elsewhere``.

    What comes of it is in the trail. Raises ``Broken`` at the first event that is not as it was recorded, ``AwsError``
    and OSError.
    """
    try:
        found = merge(
            _known(storage.objects(FOLDER)), _known(LocalObjects(elsewhere)) if elsewhere else iter(())
        )
        sound = verification.verify(found)
    except Broken as broken:
        _record(reason=broken.words, found=broken.kind, number=broken.number)
        raise
    _record(**sound._asdict())
    return sound


def public_keys() -> list[str]:
    """By which signatures are known: this installation's, and those that it had."""
    return [signing_key().public, *settings.AUDIT_PUBLIC_KEYS]


def signing_key() -> SigningKey:
    """The key of the settings; without one that of this machine, which is made when it is first needed."""
    if settings.AUDIT_SIGNING_KEY:
        return SigningKey(settings.AUDIT_SIGNING_KEY)
    path: Path = settings.DATA_DIR / KEY_FILE
    if not path.exists():
        _make_key(path)
    return SigningKey(path.read_text())


def _make_key(path: Path) -> None:
    """Of several processes that make one at once, the first one's counts."""
    made = make_private_directory(path.parent) / f".{KEY_FILE}.{token_hex(8)}"
    write_new(made, make_signing_key().encode())
    try:
        os.link(made, path)
    except FileExistsError:
        pass
    finally:
        made.unlink()


def _known(kept: Objects) -> Iterable[Checkpoint]:
    """All checkpoints of a folder, read before the trail is, which waits for nobody's network."""
    names = [name for name in kept.names() if name.endswith(".json")]
    with ThreadPoolExecutor(READ_AT_ONCE) as reading:
        documents = filter(None, reading.map(kept.get, names))
        return list(read_checkpoints(documents, public_keys()))


@transaction.atomic
def _record(*, reason: str = "", **after: str | int) -> None:
    events.record(actor=COMMAND, action="audit.verified", after=after, reason=reason)
