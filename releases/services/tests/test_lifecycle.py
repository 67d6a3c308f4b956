"""Who writes a status, and what goes with each change of one: an audit event and a push, or nothing at all."""

import ast
import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction

from audit.events import Actor
from audit.models import AuditEvent
from releases.domain.errors import IllegalChange
from releases.domain.lifecycle import (
    ALLOWED_RELEASE,
    ALLOWED_STEP,
    OPEN_STATUSES,
    ReleaseStatus,
    StepStatus,
)
from releases.models import Step
from releases.push import CHANNEL
from releases.services.lifecycle import change_release, change_step, locked, now
from releases.tests.factories import ReleaseFactory, RunFactory, ServiceFactory, StepFactory, UserFactory

OTTO = Actor(id="3", name="otto", via="page")
CHANGES = [(old, new) for old, allowed in ALLOWED_STEP.items() for new in sorted(allowed)]
IMPOSSIBLE = [pair for pair in itertools.product(StepStatus, repeat=2) if pair not in CHANGES]
ENDS = [(old, new) for old, allowed in ALLOWED_RELEASE.items() for new in sorted(allowed)]

# Beside the tests there is nothing else that writes a status of a step, a release or a run; an answer of the API that
# is kept has the status of HTTP.
WRITERS = {
    "releases/services/lifecycle.py",
    "terraform_runner/claims.py",
    "releases/services/kept_answers.py",
}
PARTS = ("audit", "aws", "bluegreen", "releases", "terraform_runner")


def program_files() -> Iterator[Path]:
    for part in PARTS:
        for path in (settings.BASE_DIR / part).rglob("*.py"):
            if not {"tests", "migrations"} & set(path.parts):
                yield path


def writes_a_status(node: ast.AST) -> bool:
    """``x.status = …``, ``.update(status=…)`` and their likes, ``setattr(x, "status", …)``, a list of fields."""
    if isinstance(node, ast.Attribute):
        return node.attr == "status" and isinstance(node.ctx, ast.Store | ast.Del)
    if not isinstance(node, ast.Call):
        return False
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if called in {"update", "create", "get_or_create", "update_or_create", "Step", "Release", "Run"}:
        return any(keyword.arg == "status" for keyword in node.keywords)
    if called in {"save", "bulk_update", "setattr"}:
        return any(isinstance(one, ast.Constant) and one.value == "status" for one in ast.walk(node))
    return False


def test_only_the_two_life_cycles_write_a_status():
    found = {
        str(path.relative_to(settings.BASE_DIR))
        for path in program_files()
        for node in ast.walk(ast.parse(path.read_text()))
        if writes_a_status(node)
    }
    assert found == WRITERS


@pytest.mark.parametrize(
    "written",
    [
        "step.status = 'done'",
        "Step.objects.filter(pk=1).update(status='done')",
        "Step.objects.create(status='done')",
        "setattr(step, 'status', 'done')",
        "step.save(update_fields=['ended_at', 'status'])",
        "Step.objects.bulk_update(steps, ['status'])",
    ],
)
def test_each_way_to_write_a_status_would_be_found(written):
    assert any(writes_a_status(node) for node in ast.walk(ast.parse(written)))


@pytest.mark.django_db
@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_a_change_of_a_step_is_kept_with_its_event(old, new):
    step = StepFactory.create(status=old)
    change_step(step, new, actor=OTTO, action="step.done", reason="why not")
    assert step.status == Step.objects.get(pk=step.pk).status == new
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_name, event.reason) == ("step.done", "otto", "why not")
    assert (event.before, event.after) == ({"status": old}, {"status": new})
    assert event.service_id == str(step.service_id)
    assert event.subject["release"] == str(step.release_id)


@pytest.mark.django_db
@pytest.mark.parametrize(("old", "new"), IMPOSSIBLE)
def test_an_impossible_change_of_a_step_leaves_everything_as_it_is(old, new):
    step = StepFactory.create(status=old)
    with pytest.raises(IllegalChange):
        change_step(step, new, actor=OTTO, action="step.done")
    assert step.status == Step.objects.get(pk=step.pk).status == old
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("old", "new"), ENDS)
def test_a_change_of_a_release_is_kept_with_its_event_and_its_time(old, new):
    release = ReleaseFactory.create(status=old)
    change_release(release, new, actor=OTTO, action="release.promoted")
    release.refresh_from_db()
    assert release.status == new
    assert (release.ended_at is None) == (new in OPEN_STATUSES)
    assert (release.paused_at is not None) == (new == ReleaseStatus.PAUSED)
    event = AuditEvent.objects.get()
    assert (event.before, event.after) == ({"status": old}, {"status": new})
    assert event.subject["number"] == release.number


@pytest.mark.django_db
def test_a_release_that_has_ended_elsewhere_is_not_ended_again():
    release = ReleaseFactory.create()
    stale = type(release).objects.get(pk=release.pk)
    change_release(release, ReleaseStatus.PROMOTED, actor=OTTO, action="release.promoted")
    with pytest.raises(IllegalChange, match="faster"):
        change_release(stale, ReleaseStatus.REJECTED, actor=OTTO, action="release.rejected")
    release.refresh_from_db()
    assert release.status == ReleaseStatus.PROMOTED


@pytest.mark.django_db
def test_the_columns_of_a_change_are_in_its_event_in_plain_form():
    step = StepFactory.create()
    run, person = RunFactory.create(), UserFactory.create()
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    columns: dict[str, Any] = {"plan_run": run, "started_by": person, "started_at": moment, "epoch": 4}
    change_step(step, StepStatus.PLANNING, actor=OTTO, action="step.planning", **columns)
    event = AuditEvent.objects.get()
    assert event.before == {
        "status": "pending",
        "plan_run": None,
        "started_by": None,
        "started_at": None,
        "epoch": 0,
    }
    assert event.after == {
        "status": "planning",
        "plan_run": str(run.pk),
        "started_by": str(person.pk),
        "started_at": "2026-01-02T00:00:00+00:00",
        "epoch": 4,
    }
    step.refresh_from_db()
    assert (step.plan_run, step.started_by, step.started_at, step.epoch) == (run, person, moment, 4)


@pytest.fixture
def pushed(transactional_db):
    """What other connections hear: called, the payloads that came since the last call."""
    with psycopg.connect(**connection.get_connection_params() | PLAIN, autocommit=True) as listening:
        listening.execute(f"LISTEN {CHANNEL}")

        def heard() -> list[Any]:
            """The listener's own word, which comes after all that was committed before it, is the last one."""
            listening.execute(f"NOTIFY {CHANNEL}, 'null'")
            words = (json.loads(one.payload) for one in listening.notifies(timeout=60))
            return list(itertools.takewhile(lambda word: word is not None, words))

        yield heard


# Django's own classes of cursors and adapters are for its own connections.
PLAIN = {"cursor_factory": psycopg.Cursor, "context": None}


def test_each_change_is_pushed_once_when_it_is_committed(pushed):
    release = ReleaseFactory.create()
    step = StepFactory.create(release=release)
    for status in (StepStatus.PLANNING, StepStatus.WAITING, StepStatus.APPLYING, StepStatus.DONE):
        with transaction.atomic():
            change_step(step, status, actor=OTTO, action="step.done")
            assert pushed() == []
        assert pushed() == [{"service": str(step.service_id)}]
    with transaction.atomic():
        change_release(release, ReleaseStatus.PROMOTED, actor=OTTO, action="release.promoted")
    assert pushed() == [{"service": str(step.service_id)}]


def test_a_change_that_is_taken_back_is_not_pushed(pushed):
    step = StepFactory.create()
    with transaction.atomic():
        change_step(step, StepStatus.PLANNING, actor=OTTO, action="step.planning")
        transaction.set_rollback(True)
    assert pushed() == []
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_change_whose_event_cannot_be_recorded_is_not_made():
    step = StepFactory.create()
    with pytest.raises(ValueError, match="no action"):
        change_step(step, StepStatus.PLANNING, actor=OTTO, action="step.planning-somehow")
    assert Step.objects.get(pk=step.pk).status == StepStatus.PENDING


@pytest.mark.django_db(transaction=True)
def test_a_locked_service_cannot_be_locked_by_another():
    service = ServiceFactory.create()
    with (
        psycopg.connect(**connection.get_connection_params() | PLAIN) as other,
        locked(service.pk),
        pytest.raises(psycopg.errors.LockNotAvailable),
    ):
        other.execute("SELECT 1 FROM releases_service FOR UPDATE NOWAIT")


@pytest.mark.django_db
def test_the_clock_goes_on_within_a_transaction():
    assert now() < now()
