"""Checkpoints of the trail: made with this installation's key, kept in the store, and checked with those elsewhere."""

import stat
from datetime import date, timedelta
from threading import Barrier, Thread
from uuid import uuid4

import pgtrigger
import pytest
import time_machine
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

from audit.check_chain import Broken
from audit.events import Actor, record
from audit.models import AuditEvent
from audit.signing import SigningKey, make_signing_key
from aws.session import s3
from releases.services.execution import storage
from releases.services.reports import checkpoints
from terraform_runner.objects import LocalObjects

WORKER = Actor(id="", name="Bluegreen", via="worker")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "data"
    return settings.DATA_DIR


def record_one() -> None:
    with transaction.atomic():
        record(actor=WORKER, action="release.promoted", reason="as it was")


def names(data_dir) -> list[str]:
    return sorted(path.name[:12] for path in (data_dir / "checkpoints").glob("*.json"))


def test_while_there_are_events_each_turn_keeps_one_checkpoint(data_dir):
    checkpoints.make()
    assert not (data_dir / "checkpoints").exists()
    for _ in range(2):
        record_one()
        checkpoints.make()
        checkpoints.make()

    assert names(data_dir) == ["000000000001", "000000000002"]
    assert checkpoints.verify().checkpoints == 2


def test_what_came_of_a_check_is_in_the_trail():
    record_one()
    checkpoints.verify()

    event = AuditEvent.objects.get(action="audit.verified")
    assert (event.after["events"], event.after["checkpoints"]) == (1, 0)


def test_the_key_is_made_once_for_this_user_only(data_dir):
    at_once = Barrier(4)
    made: list[str] = []

    def need() -> None:
        at_once.wait(30)
        made.append(checkpoints.signing_key().public)

    threads = [Thread(target=need) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(made)) == 1
    assert [path.name for path in data_dir.iterdir()] == [checkpoints.KEY_FILE]
    assert stat.S_IMODE((data_dir / checkpoints.KEY_FILE).stat().st_mode) == 0o600


def test_checkpoints_of_an_earlier_key_count_while_it_is_listed(settings):
    first, second = make_signing_key(), make_signing_key()
    settings.AUDIT_SIGNING_KEY = first
    record_one()
    checkpoints.make()

    settings.AUDIT_SIGNING_KEY = second
    with pytest.raises(CommandError, match="no signature of a known key"):
        call_command("audit_verify")
    settings.AUDIT_PUBLIC_KEYS = [SigningKey(first).public]
    assert checkpoints.verify().checkpoints == 1


def test_a_restored_backup_is_found_by_copies_that_lie_elsewhere(data_dir, tmp_path, capsys):
    for _ in range(3):
        record_one()
    call_command("audit_checkpoint")
    elsewhere = tmp_path / "elsewhere"
    (data_dir / "checkpoints").rename(elsewhere)
    with (
        pgtrigger.ignore("audit.AuditEvent:append_only", "audit.ChainLink:append_only"),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM audit_chainlink WHERE number = 3")
        cursor.execute(
            "DELETE FROM audit_auditevent WHERE id = (SELECT max(id::text)::uuid FROM audit_auditevent)"
        )

    call_command("audit_verify")
    assert "Events: 2; checkpoints: 0;" in capsys.readouterr().out
    with pytest.raises(CommandError, match="was rewritten"):  # the check itself has become event 3
        call_command("audit_verify", "--checkpoints", str(elsewhere))
    assert AuditEvent.objects.filter(action="audit.verified").latest("id").after["found"] == "rewritten"


def test_a_folder_that_is_not_there_is_said():
    with pytest.raises(CommandError, match="is no folder"):
        call_command("audit_verify", "--checkpoints", "/nowhere")


def test_an_export_has_every_event_and_is_one(capsys):
    record_one()
    call_command("audit_export")

    [line] = capsys.readouterr().out.splitlines()
    assert '"number": 1' in line
    assert AuditEvent.objects.filter(action="audit.exported").exists()


def test_the_public_key_is_said(capsys):
    call_command("audit_checkpoint", "--public-key")
    assert capsys.readouterr().out.strip() == checkpoints.signing_key().public
    call_command("audit_checkpoint")
    assert "Nothing was recorded" in capsys.readouterr().out


@pytest.fixture
def reads_little(monkeypatch):
    """None but the newest one is read, and which ones were: their numbers."""
    read: list[int] = []

    class Watched(LocalObjects):
        def get(self, name: str) -> bytes | None:
            read.append(int(name[:12]))
            return super().get(name)

    monkeypatch.setattr(storage, "LocalObjects", Watched)
    monkeypatch.setattr(checkpoints, "NEWEST_READ", 1)
    return read


@pytest.fixture
def three(data_dir):
    for _ in range(3):
        record_one()
        checkpoints.make()
    return sorted((data_dir / "checkpoints").glob("*.json"))


def turn_of(number: int) -> str:
    """A day on which it is this number's turn to be read."""
    first = date(2026, 3, 1)
    days = (first + timedelta(days=ahead) for ahead in range(checkpoints.DAYS_OF_A_TURN))
    return next(str(day) for day in days if day.toordinal() % checkpoints.DAYS_OF_A_TURN == number)


def test_the_newest_are_read_each_time_and_each_of_the_others_once_in_thirty_days(three, reads_little):
    for day, expected in [(turn_of(1), [1, 3]), (turn_of(2), [2, 3]), (turn_of(4), [3])]:
        reads_little.clear()
        with time_machine.travel(day):
            assert checkpoints.verify().checkpoints == 3
        assert sorted(reads_little) == expected
    reads_little.clear()
    assert checkpoints.verify(every=True).checkpoints == 3
    assert sorted(reads_little) == [1, 2, 3]


def test_what_the_names_alone_show_is_said_when_all_have_been_read(three, reads_little, monkeypatch):
    monkeypatch.setattr(checkpoints, "NEWEST_READ", 0)
    with pgtrigger.ignore("audit.ChainLink:append_only"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_chainlink WHERE number = 3")
    with (
        time_machine.travel(turn_of(4)),
        pytest.raises(CommandError, match=r"the checkpoint of 20\d\d-.* has event 3"),
    ):
        call_command("audit_verify")
    assert sorted(reads_little) == [1, 2, 3]


def test_a_name_without_a_signature_behind_it_is_no_evidence(three, reads_little):
    (three[0].parent / f"{1:012d}-{'f' * 16}.json").write_text("{}")
    with time_machine.travel(turn_of(4)), pytest.raises(CommandError, match="cannot be read"):
        call_command("audit_verify")


def test_a_checkpoint_under_the_name_of_another_one_is_found(three):
    three[0].rename(three[0].with_name(f"{2:012d}-{'f' * 16}.json"))
    with pytest.raises(CommandError, match="under the name of another one"):
        call_command("audit_verify", "--full")


def test_in_a_bucket_with_object_lock_a_hidden_checkpoint_still_speaks(sandbox, settings):
    settings.AWS_ENDPOINT_URL = sandbox.endpoint_url
    settings.AWS_ACCESS_KEY_ID = sandbox.access_key_id
    settings.AWS_SECRET_ACCESS_KEY = sandbox.secret_access_key
    settings.STORAGE_BUCKET = f"bucket-{uuid4()}"
    settings.STORAGE_ACCOUNT_ID, settings.STORAGE_REGION = sandbox.account_id, sandbox.region
    settings.AUDIT_RETENTION_DAYS = 30
    s3(storage.bucket().access).create_bucket(
        Bucket=settings.STORAGE_BUCKET,
        CreateBucketConfiguration={"LocationConstraint": sandbox.region},
        ObjectLockEnabledForBucket=True,
    )
    record_one()
    place = checkpoints.make()
    assert checkpoints.make() == ""
    with pgtrigger.ignore("audit.ChainLink:append_only"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_chainlink")
    storage.checkpoints().remove(place.rpartition("/")[2])
    with pytest.raises(Broken, match="Event 1 is missing"):
        checkpoints.verify()
