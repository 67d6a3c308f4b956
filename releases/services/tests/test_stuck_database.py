"""A process that stands still with a lock in its hand is in nobody's way: real transactions, held by other threads."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from celery import current_app
from django.db import connection, connections, transaction
from django.test import Client

from audit.models import CHAIN_LOCK, AuditEvent
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.models import EmergencyRollback, Press, Release, Service, Step, Watch
from releases.services.rollback import kept_presses, watches, watchman
from releases.services.rollback.kept_presses import Pressing
from releases.services.rollback.safe_traffic import SafeTraffic
from terraform_runner.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _alone(monkeypatch, settings, tmp_path):
    """No broker, and a machine of its own."""
    monkeypatch.setattr(current_app, "send_task", lambda *_, **__: None)
    settings.DATA_DIR = tmp_path


@pytest.fixture
def split(life):
    """Half of the users are on the new version."""
    life.release = life.request()
    life.go_to(50)
    return life


@contextmanager
def held(sql: str) -> Iterator[None]:
    """Somebody else's transaction that has taken a lock and does nothing more."""
    taken, over = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
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


LOCKS = {
    "service": "SELECT 1 FROM releases_service FOR UPDATE",
    "release": "SELECT 1 FROM releases_release FOR UPDATE",
    "steps": "SELECT 1 FROM releases_step FOR UPDATE",
    "runs": "SELECT 1 FROM terraform_runner_run FOR UPDATE",
    "trail": "LOCK TABLE audit_auditevent IN SHARE ROW EXCLUSIVE MODE",
    "chain": f"SELECT pg_advisory_xact_lock({CHAIN_LOCK})",
    "rollbacks": "LOCK TABLE releases_emergencyrollback IN SHARE ROW EXCLUSIVE MODE",
    "watches": "LOCK TABLE releases_watch IN SHARE ROW EXCLUSIVE MODE",
}


def run_whose_row_the_press_wants(life) -> None:
    life.start()
    Run.objects.filter(pk=life.step().plan_run_id).update(status="running", worker="x/1/1.0")


@pytest.mark.parametrize("lock", LOCKS)
def test_the_traffic_is_back_within_a_second_whatever_lock_somebody_holds(split, lock):
    run_whose_row_the_press_wants(split)
    with held(LOCKS[lock]):
        pressed, seconds = zip(*[timed(split.roll_back) for _ in range(3)], strict=True)
    assert split.world.green_weight() == 0
    assert {(one.problem, one.is_recorded) for one in pressed} == {("", False)}
    assert min(seconds) < 1  # a busy machine may stop in the middle of one
    assert {press.id for press in kept_presses.kept()} == {one.pk for one in pressed}


def timed(press: Callable[[], EmergencyRollback]) -> tuple[EmergencyRollback, float]:
    began = time.monotonic()
    return press(), time.monotonic() - began


@pytest.mark.parametrize("lock", LOCKS)
def test_the_page_answers_well_while_the_lock_is_held_and_when_the_press_was_recorded(split, lock):
    run_whose_row_the_press_wants(split)
    browser = Client()
    browser.force_login(split.operator)
    with held(LOCKS[lock]):
        pressed = browser.post(f"/services/{split.service.name}/rollback/")
        assert pressed.status_code == 302
        waiting = browser.get(pressed["Location"])
    assert "written down in a file of this machine" in waiting.content.decode()
    (kept,) = kept_presses.kept()
    assert watchman.record(kept)
    recorded = browser.get(pressed["Location"])
    assert (recorded.status_code, b"Accepted" in recorded.content) == (200, True)


def test_a_press_that_was_recorded_while_its_page_was_asked_for_is_found(split, monkeypatch):
    """The process that watches takes the file away right before the page looks for it."""
    with held(LOCKS["service"]):
        pressed = split.roll_back()
    (kept,) = kept_presses.kept()

    find = kept_presses.find

    def recorded_just_now(press_id):
        watchman.record(kept)
        return find(press_id)

    monkeypatch.setattr(kept_presses, "find", recorded_just_now)
    browser = Client()
    browser.force_login(split.operator)
    answer = browser.get(f"/services/{split.service.name}/rollback/{pressed.pk}/")
    assert (answer.status_code, b"Accepted" in answer.content) == (200, True)


def test_it_is_recorded_by_itself_as_soon_as_the_lock_is_let_go(split):
    with held(LOCKS["service"]):
        pressed = split.roll_back()
    kept = kept_presses.find(pressed.pk)
    assert kept is not None
    assert watchman.record(kept)
    rollback = EmergencyRollback.objects.get()
    assert (rollback.pk, rollback.pressed_by, Service.objects.get().epoch) == (pressed.pk, split.operator, 1)
    assert Release.objects.get().status == ReleaseStatus.ROLLED_BACK
    assert AuditEvent.objects.get(action="rollback.pressed").actor_name == "otto"
    assert not list(kept_presses.kept())
    assert rollback.converge.status == StepStatus.PENDING


def test_recorded_twice_it_is_one_press(split):
    with held(LOCKS["service"]):
        kept = kept_presses.find(split.roll_back().pk)
    assert kept is not None
    for _ in range(2):
        assert watchman.record(kept)
    assert (Press.objects.count(), Watch.objects.count(), Service.objects.get().epoch) == (1, 1, 1)


def test_while_the_lock_is_held_the_rules_are_looked_after_from_the_file(split):
    with held(LOCKS["service"]):
        kept = kept_presses.find(split.roll_back().pk)
        assert kept is not None
        split.world.weights["arn:rule/traffic"] = {"arn:group/blue": 10, "arn:group/green": 90}
        assert watchman.record(kept)
        assert watchman.look_after(kept)
        assert split.world.green_weight() == 0
    assert not EmergencyRollback.objects.exists()


def test_two_presses_in_files_are_one_rollback_and_both_are_told(split):
    with held(LOCKS["service"]):
        split.roll_back()
        split.roll_back(split.manager)
    for kept in kept_presses.kept():
        assert watchman.record(kept)
    assert EmergencyRollback.objects.get().presses.count() == 2
    assert set(Press.objects.values_list("name", flat=True)) == {"otto", "mona"}


def test_where_a_release_has_gone_on_since_the_press_is_told_and_nothing_is_ended(split):
    at = datetime.now(UTC) - timedelta(hours=1)
    kept = pressing(split, at=at)
    assert watchman.record(kept)
    assert not EmergencyRollback.objects.exists()
    assert (Press.objects.get().rollback, Press.objects.get().pressed_at) == (None, at)
    assert AuditEvent.objects.get(action="rollback.told-late").after["pressed_at"] == at.isoformat()
    browser = Client()
    browser.force_login(split.operator)
    page = browser.get(f"/services/{split.service.name}/rollback/{kept.id}/", follow=True)
    assert "This press was recorded late" in page.content.decode()
    assert Release.objects.get().status == ReleaseStatus.OPEN


def test_what_cannot_be_read_or_is_of_no_service_is_put_aside(split, settings, caplog):
    folder = settings.DATA_DIR / "presses"
    stranger = pressing(split, service_id=uuid4())
    kept_presses.keep(stranger)
    (folder / "half.json").write_text('{"id": ')
    for kept in kept_presses.kept():
        watchman.record(kept)
    assert {path.name[0] for path in folder.iterdir()} == {"."}
    assert "put aside" in caplog.text


def pressing(life, **changes) -> Pressing:
    life.service.refresh_from_db()
    given = {
        "service_id": life.service.pk,
        "traffic": SafeTraffic.of(life.service),
        "user_id": life.operator.pk,
        "name": "otto",
        "via": "page",
    }
    return Pressing(**{**given, **changes})


def test_where_the_outcome_cannot_be_recorded_in_time_it_is_by_who_watches(split, monkeypatch):
    """The lock is taken between the press and what came of it."""
    holding: list[AbstractContextManager[None]] = []
    brought = split.world.set_weights

    def set_weights(*given):
        brought(*given)
        if not holding:
            holding.append(held(LOCKS["service"]))
            holding[0].__enter__()

    monkeypatch.setattr("aws.load_balancer.set_weights", set_weights)
    pressed = split.roll_back()
    holding[0].__exit__(None, None, None)
    assert pressed.is_recorded
    assert split.world.green_weight() == 0
    assert EmergencyRollback.objects.get().traffic_back_at is None
    watches.look(Watch.objects.select_related("rollback__service").get())
    assert EmergencyRollback.objects.get().traffic_back_at is not None
    assert Step.objects.get(transition="rollback").status == StepStatus.PLANNING
