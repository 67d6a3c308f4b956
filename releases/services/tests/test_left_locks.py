"""State locks: one that a dead run of the service has left is taken away, somebody else's is not."""

import json
import os
import pwd
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from releases.services.execution import left_locks, recovery
from releases.services.lifecycle import locked
from releases.services.tests.test_recovery import DEAD_WORKER, queued_request
from terraform_runner import claims
from terraform_runner.errors import HoldLost, StateLocked
from terraform_runner.models import Run
from terraform_runner.objects import LocalObjects
from terraform_runner.state import LOCK_OBJECT, S3State

HERE = f"{pwd.getpwuid(os.getuid()).pw_name}@{claims.worker_host().partition(':')[0]}"


@pytest.fixture
def state(tmp_path: Path) -> S3State:
    return S3State(
        bucket="b",
        prefix="",
        region="r",
        objects=LocalObjects(tmp_path),
        access_key_id="",
        secret_access_key="",
    )


def lock(state: S3State, *, who: str = HERE, operation: str = "OperationTypePlan", ago: float = 0) -> None:
    created = datetime.now(UTC) - timedelta(seconds=ago)
    content = {"ID": "1", "Who": who, "Operation": operation, "Created": created.isoformat()}
    state.objects.put(LOCK_OBJECT, json.dumps(content).encode())


@pytest.fixture
def lost(life) -> Run:
    """A plan run whose worker has died; its step is planned again."""
    queued_request(life)
    run = life.step().plan_run
    claims.claim(run.pk, worker=DEAD_WORKER)
    recovery.end_lost_runs()
    run.refresh_from_db()
    return run


@pytest.fixture
def following(life, lost) -> Run:
    """The run that a worker has taken after it."""
    run = claims.claim(life.step().plan_run.pk, worker=claims.worker_name())
    assert run is not None
    return run


def is_freed(state: S3State, run: Run, life) -> bool:
    left_locks.free(state, life.service, run)
    return state.objects.get(LOCK_OBJECT) is None


def test_a_lock_that_a_lost_run_has_left_is_removed_and_the_trail_tells(state, life, lost, following):
    lock(state)
    assert is_freed(state, following, life)
    event = AuditEvent.objects.get(action="service.lock-removed")
    assert (event.before["who"], event.subject["run"]) == (HERE, str(lost.pk))


@pytest.mark.parametrize(
    "foreign",
    [
        {"who": "jane@laptop"},
        {"who": f"jane@{HERE.partition('@')[2]}"},
        {"operation": "apply"},
        {"ago": 3600},
    ],
)
def test_a_lock_of_somebody_else_stays(state, life, following, foreign):
    lock(state, **foreign)
    assert not is_freed(state, following, life)
    assert not AuditEvent.objects.filter(action="service.lock-removed").exists()


def test_what_is_no_lock_of_terraform_stays(state, life, following):
    state.objects.put(LOCK_OBJECT, b"hands off")
    assert not is_freed(state, following, life)


def test_a_run_that_only_met_a_lock_has_not_left_it(state, life, lost, following):
    Run.objects.filter(pk=lost.pk).update(error_code=StateLocked.code)
    lock(state)
    assert not is_freed(state, following, life)


def test_a_worker_that_has_lost_its_hold_removes_nothing(state, life, following):
    lock(state)
    Run.objects.filter(pk=following.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    with pytest.raises(HoldLost):
        left_locks.free(state, life.service, following)
    assert state.objects.get(LOCK_OBJECT)


def test_a_lock_that_somebody_has_taken_meanwhile_stays(state, life, following, monkeypatch):
    def take_it(service_id):
        lock(state, who="jane@laptop")
        return locked(service_id)

    lock(state)
    monkeypatch.setattr(left_locks, "locked", take_it)
    assert not is_freed(state, following, life)
