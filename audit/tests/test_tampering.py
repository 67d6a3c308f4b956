"""Judged by what the database's owner can do with the triggers off: whatever was done to the trail is found."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pgtrigger
import pytest
from django.db import connection, transaction

from audit.canonical import moment
from audit.check_chain import NOTHING_BEFORE, Broken, Checkpoint, digest_of, link_hash, read_checkpoints
from audit.events import Actor, record
from audit.models import AuditEvent, ChainLink
from audit.signing import SigningKey, make_signing_key
from audit.stored import first_without_place, head
from audit.verification import verify

WORKER = Actor(id="", name="Bluegreen", via="worker")
EVENTS = 8
pytestmark = pytest.mark.django_db(transaction=True)


class Owner:
    """The database's owner with the triggers off, and a copy of everything from before."""

    def sql(self, statement: str, *given: str | int | UUID) -> None:
        with (
            pgtrigger.ignore(
                "audit.AuditEvent:append_only",
                *("audit.ChainLink:append_only", "audit.ChainLink:written_once"),
            ),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement, given)

    def change(self, number: int, reason: str) -> None:
        self.sql("UPDATE audit_auditevent SET reason = %s WHERE id = %s", reason, at(number).pk)

    def delete(self, number: int) -> None:
        event = at(number)
        self.sql("DELETE FROM audit_chainlink WHERE number = %s", number)
        self.sql("DELETE FROM audit_auditevent WHERE id = %s", event.pk)

    def insert_unchained(self) -> None:
        self.sql("ALTER TABLE audit_auditevent DISABLE TRIGGER audit_join_chain")
        record_some(1)
        self.sql("ALTER TABLE audit_auditevent ENABLE TRIGGER audit_join_chain")

    def rehash(self, *, first: int) -> None:
        """Right digests, numbers and hashes from this number on."""
        previous = ChainLink.objects.get(number=first - 1).hash if first > 1 else NOTHING_BEFORE
        links = ChainLink.objects.filter(number__gte=first).order_by("number").select_related("event")
        for number, link in enumerate(list(links), start=first):
            digest = digest_of(content_of(link.event))
            recorded_at = moment(link.event.at)
            previous = link_hash(number=number, at=recorded_at, previous=previous or "", digest=digest)
            self.sql("UPDATE audit_auditevent SET digest = %s WHERE id = %s", digest, link.event_id)
            self.sql(
                "UPDATE audit_chainlink SET number = %s, hash = %s WHERE event_id = %s",
                *(number, previous, link.event_id),
            )


def content_of(event: AuditEvent) -> str:
    names = ("actor_id", "actor_name", "via", "action", "service_id", "subject", "before", "after", "reason")
    more = {name: getattr(event, name) for name in names}
    return json.dumps({"id": str(event.pk), "context": event.context, **more})


def at(number: int) -> AuditEvent:
    return AuditEvent.objects.get(link__number=number)


def record_some(count: int) -> None:
    for number in range(count):
        with transaction.atomic():
            record(
                actor=WORKER,
                action="release.promoted",
                subject={"number": number, "share": 0.1},
                reason=f"„{number}“ 🚀",
                after={"é": 1e22, "🚀": [None, True, {}], "\ufb33": -0.0},
            )


KEY = SigningKey(make_signing_key())


def checkpoint_now() -> bytes:
    number, found = head()
    return KEY.checkpoint(number=number, found=found, at=datetime.now(UTC))


def kept(*documents: bytes) -> Iterator[Checkpoint]:
    return read_checkpoints(documents, [KEY.public])


@pytest.fixture
def owner() -> Owner:
    record_some(EVENTS)
    return Owner()


def found(*documents: bytes) -> tuple[str, int]:
    with pytest.raises(Broken) as broken:
        verify(kept(*documents))
    named = first_without_place() if broken.value.kind == "inserted" else broken.value.number
    assert str(named) in broken.value.words
    return broken.value.kind, broken.value.number


def test_an_untouched_trail_is_sound_with_its_checkpoints(owner):
    middle = checkpoint_now()
    record_some(2)

    sound = verify(kept(middle, checkpoint_now()))

    assert (sound.events, sound.hash, sound.checkpoints) == (EVENTS + 2, head()[1], 2)


def test_an_empty_trail_is_sound():
    assert verify() == (0, NOTHING_BEFORE, 0)


def change_one_with_a_right_digest(owner: Owner) -> None:
    owner.change(5, "nothing")
    owner.sql("UPDATE audit_auditevent SET digest = %s WHERE id = %s", digest_of(content_of(at(5))), at(5).pk)


def change_a_time(owner: Owner) -> None:
    owner.sql("UPDATE audit_auditevent SET at = at - interval '1 day' WHERE id = %s", at(5).pk)


def delete_one_and_close_the_gap(owner: Owner) -> None:
    owner.delete(5)
    for number in range(6, EVENTS + 1):
        owner.sql("UPDATE audit_chainlink SET number = %s WHERE number = %s", number - 1, number)


def delete_the_event_but_not_its_place(owner: Owner) -> None:
    owner.sql("DELETE FROM audit_auditevent WHERE id = %s", at(5).pk)


def swap_two(owner: Owner) -> None:
    for old, new in ((4, 100), (5, 4), (100, 5)):
        owner.sql("UPDATE audit_chainlink SET number = %s WHERE number = %s", new, old)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(lambda owner: owner.change(5, "nothing"), ("changed", 5), id="change-one"),
        (change_one_with_a_right_digest, ("out-of-order", 5)),
        (change_a_time, ("out-of-order", 5)),
        pytest.param(lambda owner: owner.delete(5), ("missing", 5), id="delete-one"),
        pytest.param(lambda owner: owner.delete(1), ("missing", 1), id="delete-the-first-one"),
        (delete_one_and_close_the_gap, ("out-of-order", 5)),
        (delete_the_event_but_not_its_place, ("missing", 5)),
        (swap_two, ("out-of-order", 4)),
        (Owner.insert_unchained, ("inserted", EVENTS + 1)),
    ],
)
def test_the_chain_alone_shows(owner, change, expected):
    change(owner)

    assert found() == expected


def test_a_tail_that_was_cut_off_is_found_by_the_checkpoint(owner):
    checkpoint = checkpoint_now()
    owner.delete(EVENTS)
    owner.delete(EVENTS - 1)

    assert verify().events == EVENTS - 2
    assert found(checkpoint) == ("missing", EVENTS - 1)


def test_a_chain_rewritten_from_one_event_on_with_right_hashes_is_found_by_the_checkpoint(owner):
    checkpoint = checkpoint_now()
    owner.change(5, "nothing")
    owner.rehash(first=5)

    assert verify().events == EVENTS
    assert found(checkpoint) == ("rewritten", EVENTS)


def test_all_rewritten_with_the_server_s_own_key_is_found_by_a_checkpoint_that_lies_elsewhere(owner):
    elsewhere = checkpoint_now()
    owner.change(1, "nothing")
    owner.rehash(first=1)

    assert verify(kept(checkpoint_now())).checkpoints == 1
    assert found(elsewhere) == ("rewritten", EVENTS)
    # In the store both lie side by side: their names have the hashes.
    assert found(elsewhere, checkpoint_now())[0] == "rewritten"


def test_an_old_backup_that_was_restored_is_found_also_when_it_has_gone_on_since(owner):
    record_some(3)
    elsewhere = checkpoint_now()
    for number in range(EVENTS + 3, EVENTS, -1):
        owner.delete(number)
    assert found(elsewhere) == ("missing", EVENTS + 1)

    record_some(5)
    assert found(elsewhere) == ("rewritten", EVENTS + 3)


def test_a_checkpoint_that_the_key_has_not_signed_is_found(owner):
    forged = SigningKey(make_signing_key()).checkpoint(
        number=EVENTS, found=head()[1], at=datetime.now(UTC) - timedelta(days=1)
    )

    assert found(forged) == ("forged", EVENTS)
    assert found(checkpoint_now().replace(b'"number": 8', b'"number": 7')) == ("forged", 7)
