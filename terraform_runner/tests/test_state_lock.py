"""Whose a lock is that was left on a state."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from terraform_runner.domain.runs import Operation
from terraform_runner.domain.state_lock import TOLERANCE, EndedRun, is_left_by, parse_lock

# What Terraform 1.11.4 wrote.
WRITTEN = (
    b'{"ID":"8bd3c0a5-39d1-e8a0-90a4-e1d5e2d4a05c","Operation":"OperationTypeApply","Info":"",'
    b'"Who":"bluegreen@host-a","Version":"1.11.4","Created":"2026-11-24T21:04:16.123456789Z",'
    b'"Path":"bucket/state/7/terraform.tfstate"}'
)
CREATED = datetime(2026, 11, 24, 21, 4, 16, 123456, tzinfo=UTC)
RUN = EndedRun(
    user="bluegreen",
    host="host-a",
    operation=Operation.APPLY,
    began=CREATED - timedelta(seconds=3),
    ended=CREATED + timedelta(minutes=2),
)


def test_lock_is_read_as_terraform_writes_it():
    lock = parse_lock(WRITTEN)

    assert lock is not None
    assert (lock.id[:8], lock.who, lock.operation) == ("8bd3c0a5", "bluegreen@host-a", "OperationTypeApply")
    assert lock.created == CREATED


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"what?",
        WRITTEN.replace(b"2026-11-24T21", b"never"),
        WRITTEN.replace(b"789Z", b"789"),
    ],
)
def test_what_terraform_did_not_write_is_no_lock(content):
    assert parse_lock(content) is None


def is_ours(**changed: object) -> bool:
    lock = parse_lock(WRITTEN)
    assert lock is not None
    return is_left_by(replace(RUN, **changed), lock)  # type: ignore[arg-type]


def test_lock_is_of_the_run_that_took_it():
    assert is_ours()
    assert is_ours(began=CREATED + TOLERANCE)
    assert is_ours(ended=CREATED - TOLERANCE)


@pytest.mark.parametrize(
    "changed",
    [
        {"user": "jane"},
        {"host": "host-b"},
        {"operation": Operation.PLAN},
        {"began": CREATED + TOLERANCE + timedelta(seconds=1)},
        {"ended": CREATED - TOLERANCE - timedelta(seconds=1)},
    ],
)
def test_lock_of_somebody_else_is_not_of_the_run(changed):
    assert not is_ours(**changed)
