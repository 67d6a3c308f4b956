"""Checkpoints of the audit trail: made by a key that is not in the database, kept where the database's owner isn't."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_hex

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit import events, stored, verification
from audit.check_chain import Broken, Checkpoint, Sound, read_checkpoints
from audit.events import Actor
from audit.signing import SigningKey, by_checkpoint_name, checkpoint_name, make_signing_key
from releases.services.execution import storage
from releases.services.lifecycle import now
from terraform_runner.objects import LocalObjects, Objects
from terraform_runner.private_files import make_private_directory, write_new

KEY_FILE = "audit-signing-key"
READ_AT_ONCE = 16
# Of all checkpoints the names are compared with the chain; these are read each time, and of the others one in so many
# by turns, a day each.
NEWEST_READ, DAYS_OF_A_TURN = 1_000, 30
COMMAND = Actor(id="", name="manage.py audit_verify", via="command")


def make() -> str:
    """Keep a signed checkpoint of the chain's present end, unless there is one; gives where, or "".

    Raises ``AwsError`` and OSError.
    """
    number, found = stored.head()
    name, kept = checkpoint_name(number, found), storage.checkpoints()
    if number == 0 or kept.get(name) is not None:
        return ""
    kept.put(name, signing_key().checkpoint(number=number, found=found, at=now()))
    return kept.place(name)


def verify(elsewhere: Path | None = None, *, every: bool = False) -> Sound:
    """Check the whole trail against the checkpoints in the store, and those that somebody has kept ``elsewhere``.

    Without ``every`` one of the store's whose turn it isn't is only compared by its name, which has its number and the
    beginning of its hash; where that finds anything, all are read. What comes of it is in the trail. Raises ``Broken``
    at the first event that is not as it was recorded, ``AwsError`` and OSError.
    """
    try:
        sound = _verified(elsewhere, every=every)
    except Broken as broken:
        _record(reason=broken.words, found=broken.kind, number=broken.number)
        raise
    _record(**sound._asdict())
    return sound


def _verified(elsewhere: Path | None, *, every: bool) -> Sound:
    copies = _copies(LocalObjects(elsewhere)) if elsewhere else []
    try:
        return verification.verify(sorted([*_stored(every=every), *copies]))
    except Broken:
        if every:
            raise
        return _verified(elsewhere, every=True)


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


def _stored(*, every: bool) -> list[Checkpoint]:
    """The store's, read before the trail is, which waits for nobody's network."""
    kept = storage.checkpoints()
    names = [name for name in kept.names() if name.endswith(".json")]
    wanted = set(names if every else _to_read(names))
    by_name = filter(None, (by_checkpoint_name(name) for name in names if name not in wanted))
    return [*by_name, *(_under_its_name(name, found) for name, found in _read(kept, wanted))]


def _to_read(names: Iterable[str]) -> list[str]:
    """The newest, one in so many of the others, of each day another one, and whatever has no name of one."""
    newest_first = sorted(names, reverse=True)
    turn = timezone.now().toordinal() % DAYS_OF_A_TURN
    numbers = {name: by_checkpoint_name(name) for name in newest_first[NEWEST_READ:]}
    in_turn = [
        name for name, named in numbers.items() if named is None or named.number % DAYS_OF_A_TURN == turn
    ]
    return [*newest_first[:NEWEST_READ], *in_turn]


def _under_its_name(name: str, checkpoint: Checkpoint) -> Checkpoint:
    if checkpoint_name(checkpoint.number, checkpoint.hash) != name:
        words = f"The checkpoint {name} is one of event {checkpoint.number}, under the name of another one."
        raise Broken(checkpoint.number, "forged", words)
    return checkpoint


def _copies(kept: Objects) -> list[Checkpoint]:
    return [found for _, found in _read(kept, [name for name in kept.names() if name.endswith(".json")])]


def _read(kept: Objects, names: Iterable[str]) -> Iterator[tuple[str, Checkpoint]]:
    """Each with its name; one that is gone meanwhile isn't there."""
    keys = public_keys()
    with ThreadPoolExecutor(READ_AT_ONCE) as reading:
        wanted = list(names)
        for name, document in zip(wanted, reading.map(kept.get, wanted), strict=True):
            yield from ((name, found) for found in read_checkpoints(filter(None, [document]), keys))


@transaction.atomic
def _record(*, reason: str = "", **after: str | int) -> None:
    events.record(actor=COMMAND, action="audit.verified", after=after, reason=reason)
