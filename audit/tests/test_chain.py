"""The chain as the database makes it: one, without gaps, whoever records at once and whatever is taken back."""

import importlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pgtrigger
import pytest
from django.apps import apps
from django.db import DatabaseError, OperationalError, connection, connections, transaction

from audit.canonical import digest_of, moment
from audit.check_chain import NOTHING_BEFORE, link_hash
from audit.context import acting_in
from audit.events import Actor, record
from audit.models import CHAIN_LOCK, AuditEvent, ChainLink

WORKER = Actor(id="", name="Bluegreen", via="worker")
pytestmark = pytest.mark.django_db(transaction=True)


def chained() -> list[ChainLink]:
    return list(ChainLink.objects.select_related("event").order_by("number"))


def assert_is_one_chain(links: list[ChainLink]) -> None:
    previous = NOTHING_BEFORE
    for number, link in enumerate(links, start=1):
        wanted = hash_of(link.event, number=number, previous=previous)
        assert (link.number, link.hash) == (number, wanted)
        previous = wanted


def hash_of(event: AuditEvent, *, number: int, previous: str) -> str:
    return link_hash(number=number, at=moment(event.at), previous=previous, digest=event.digest)


def record_one(reason: str = "") -> AuditEvent:
    with transaction.atomic():
        return record(actor=WORKER, action="release.promoted", reason=reason)


@contextmanager
def lock_held_elsewhere(statement: str) -> Iterator[None]:
    """Another connection's transaction that has taken a lock and does nothing more."""
    taken, over = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            taken.set()
            over.wait(60)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert taken.wait(60)
        yield
    finally:
        over.set()
        holder.join()


def test_each_event_goes_on_from_the_one_before_it():
    events = [record_one(str(number)) for number in range(3)]

    links = chained()
    assert [link.event for link in links] == events
    assert_is_one_chain(links)


def test_the_hash_is_of_the_content_as_it_is_documented():
    event = record_one("done")

    link = ChainLink.objects.get(event=event)
    assert event.digest == digest_of(
        {
            "id": str(event.pk),
            "actor_name": "Bluegreen",
            "via": "worker",
            "action": "release.promoted",
            "reason": "done",
        }
    )
    assert link.hash == hash_of(event, number=1, previous=NOTHING_BEFORE)
    assert moment(datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)) == "2026-01-02T03:04:05.000006Z"


def test_an_event_has_no_number_before_its_commit():
    with transaction.atomic():
        record(actor=WORKER, action="release.promoted")
        assert not ChainLink.objects.exists()

    assert ChainLink.objects.get().number == 1


def test_events_of_one_transaction_are_numbered_in_the_order_in_which_they_were_recorded():
    with transaction.atomic():
        events = [record(actor=WORKER, action="release.promoted") for _ in range(5)]

    assert [link.event_id for link in chained()] == [event.pk for event in events]


def test_what_is_taken_back_leaves_no_gap():
    record_one()
    with transaction.atomic():
        record(actor=WORKER, action="release.promoted")
        with transaction.atomic():
            record(actor=WORKER, action="release.rejected")
            transaction.set_rollback(True)
    with transaction.atomic():
        record(actor=WORKER, action="release.rejected")
        transaction.set_rollback(True)
    record_one()

    links = chained()
    assert [link.number for link in links] == [1, 2, 3]
    assert AuditEvent.objects.count() == 3
    assert_is_one_chain(links)


def test_a_long_transaction_holds_nobody_up():
    recorded, over = threading.Event(), threading.Event()

    def record_slowly() -> None:
        with transaction.atomic():
            record(actor=WORKER, action="release.promoted", reason="first recorded, last committed")
            recorded.set()
            over.wait(60)
        connections.close_all()

    slow = threading.Thread(target=record_slowly)
    slow.start()
    assert recorded.wait(60)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '30s'")
        record(actor=WORKER, action="release.promoted", reason="meanwhile")
    over.set()
    slow.join()

    links = chained()
    assert [link.event.reason for link in links] == ["meanwhile", "first recorded, last committed"]
    assert_is_one_chain(links)


def test_who_may_wait_only_so_long_does_not_wait_longer_for_the_chain():
    with lock_held_elsewhere(f"SELECT pg_advisory_xact_lock({CHAIN_LOCK})"):
        began = time.monotonic()
        with pytest.raises(OperationalError, match="lock timeout"):
            _record_with_little_patience()
        assert time.monotonic() - began < 30

    assert not AuditEvent.objects.exists()
    record_one()
    assert [link.number for link in chained()] == [1]


def _record_with_little_patience() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '100ms'")
        record(actor=WORKER, action="release.promoted")


def test_the_chain_s_lock_is_taken_after_all_others():
    """A check of a foreign key at the commit, which waits for somebody's row, does not wait with the chain's lock."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO auth_group (name) VALUES ('sre')")
    try:
        waiting = threading.Thread(target=_record_and_refer_to_the_group)
        with lock_held_elsewhere("SELECT 1 FROM auth_group FOR UPDATE"):
            waiting.start()
            _wait_until_it_waits_for_the_row()
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '10s'")
                record(actor=WORKER, action="release.promoted", reason="not held up")
        waiting.join()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM auth_group_permissions")
            cursor.execute("DELETE FROM auth_group")
    assert [link.event.reason for link in chained()] == ["not held up", "waited"]


def _record_and_refer_to_the_group() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        record(actor=WORKER, action="release.promoted", reason="waited")
        cursor.execute(
            "INSERT INTO auth_group_permissions (group_id, permission_id) "
            "SELECT (SELECT id FROM auth_group), min(id) FROM auth_permission"
        )
    connections.close_all()


def _wait_until_it_waits_for_the_row() -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query = 'COMMIT' "
                "AND datname = current_database()"
            )
            [(waiting,)] = cursor.fetchall()
        if waiting:
            return
        time.sleep(0.02)
    pytest.fail("nobody waits for the row")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_chainlink SET number = 2",
        "UPDATE audit_chainlink SET hash = ''",
        "DELETE FROM audit_chainlink",
        "TRUNCATE audit_chainlink",
    ],
)
def test_sql_cannot_change_the_chain(statement):
    record_one()

    with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
        cursor.execute(statement)

    assert_is_one_chain(chained())


def test_an_event_carries_how_the_act_came_in():
    with acting_in(request_id="r1", address="203.0.113.7"), acting_in(request_id="r2", token=""):
        inner = record_one()
    outer = record_one()

    assert inner.context == {"request_id": "r2", "address": "203.0.113.7"}
    assert outer.context == {}


def test_events_from_before_the_chain_become_its_beginning():
    old = [record_one(str(number)) for number in range(5)]
    with (
        pgtrigger.ignore("audit.AuditEvent:append_only", "audit.ChainLink:append_only"),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM audit_chainlink")
        cursor.execute("UPDATE audit_auditevent SET digest = ''")
    migration = importlib.import_module("audit.migrations.0002_chain")

    with connection.schema_editor() as editor, pytest.MonkeyPatch.context() as patch:
        patch.setattr(migration, "BATCH", 2)
        migration.chain_what_is_there(apps, editor)
    record_one("new")

    links = chained()
    assert [link.event.reason for link in links] == ["0", "1", "2", "3", "4", "new"]
    assert [link.event.digest for link in links[:5]] == [event.digest for event in old]
    assert_is_one_chain(links)
