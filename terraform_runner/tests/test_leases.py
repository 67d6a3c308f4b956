from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from terraform_runner import claims, leases
from terraform_runner.domain.runs import RunStatus
from terraform_runner.domain.tools import Tools
from terraform_runner.errors import HoldLost
from terraform_runner.models import Run
from terraform_runner.tests.factories import WORKER, planned, queued_run, running_run

pytestmark = pytest.mark.django_db


def silent_run(seconds: float, *, lease_seconds: float = 45, grace_seconds: float = 30) -> Run:
    """A run whose last heartbeat was so long ago."""
    run = running_run(lease_seconds=lease_seconds, grace_seconds=grace_seconds)
    ago = timedelta(seconds=seconds)
    Run.objects.filter(pk=run.pk).update(
        lease_until=F("lease_until") - ago, heartbeat_at=F("heartbeat_at") - ago
    )
    run.refresh_from_db()
    return run


def expired() -> list[Run]:
    return list(leases.list_expired())


def test_claim_takes_the_lease():
    run = claims.claim(queued_run().pk, worker=WORKER, lease_seconds=45)

    assert run is not None
    assert run.lease_until is not None
    assert run.started_at is not None
    assert run.lease_until - run.started_at == timedelta(seconds=45)


def test_heartbeat_renews_the_lease():
    run = silent_run(60)

    assert leases.renew(run, lease_seconds=45)

    run.refresh_from_db()
    assert run.lease_until is not None
    assert run.heartbeat_at is not None
    assert run.lease_until - run.heartbeat_at == timedelta(seconds=45)
    leases.refuse_unless_held(run)


def test_lease_of_a_run_that_was_ended_is_not_renewed():
    run = running_run()
    claims.mark_lost(run, message="gone")

    assert not leases.renew(run, lease_seconds=45)


def test_lease_of_a_run_that_another_worker_has_is_not_renewed():
    run = running_run()
    run.worker = "other/1/1.0"

    assert not leases.renew(run, lease_seconds=45)


def test_nothing_is_started_or_done_without_a_lease_even_if_nobody_has_taken_over():
    run = silent_run(46)

    with pytest.raises(HoldLost):
        leases.refuse_unless_held(run)
    with pytest.raises(HoldLost):
        leases.note_process(run, group=1, started=1)
    with pytest.raises(HoldLost):
        leases.note_tools(run, Tools(command="terraform apply", terraform="1.11.4", providers={}))

    run.refresh_from_db()
    assert run.process_group is None


def test_hold_cannot_be_lost_during_the_transaction_that_asks_for_it(django_assert_num_queries):
    run = running_run()

    with transaction.atomic(), django_assert_num_queries(1) as queries:
        leases.refuse_unless_held(run)

    assert "FOR UPDATE" in queries[0]["sql"]


@pytest.mark.parametrize(
    ("seconds", "over"), [(0, False), (46, False), (65, False), (76, True), (9999, True)]
)
def test_run_can_be_taken_over_a_lease_and_the_grace_after_the_last_heartbeat(seconds, over):
    run = silent_run(seconds)

    assert expired() == ([run] if over else [])
    assert claims.take_over(run, message="silent") is over

    run.refresh_from_db()
    assert run.status == (RunStatus.LOST if over else RunStatus.RUNNING)


@pytest.mark.parametrize(
    ("lease", "grace", "over"),
    [(300, 30, 330), (45, 120, 165), (10, 2, 12)],
    ids=["a longer lease", "a longer grace", "both shorter"],
)
def test_run_is_taken_over_by_the_times_of_its_own_worker_whatever_other_machines_have(lease, grace, over):
    held = silent_run(over - 5, lease_seconds=lease, grace_seconds=grace)
    assert expired() == []
    claims.mark_lost(held, message="for the next one")

    run = silent_run(over + 1, lease_seconds=lease, grace_seconds=grace)
    assert expired() == [run]


def test_lease_from_before_a_clock_was_set_back_is_not_waited_for():
    assert expired() == []

    run = silent_run(-3600)

    assert expired() == [run]


def test_run_without_a_lease_is_one_of_an_older_release_and_judged_by_its_heartbeat():
    run = silent_run(0)
    Run.objects.update(lease_until=None)
    assert expired() == []

    assert run.heartbeat_at is not None
    Run.objects.update(heartbeat_at=run.heartbeat_at - timedelta(seconds=31))
    assert expired() == [run]


def test_only_running_runs_are_taken_over():
    run = silent_run(100)
    claims.finish(run, planned())

    assert expired() == []
    assert not claims.take_over(run, message="silent")


def test_run_that_was_renewed_meanwhile_is_not_taken_over():
    run = silent_run(100)
    leases.renew(run, lease_seconds=45)

    assert not claims.take_over(run, message="silent")


def test_who_began_to_end_processes_before_the_clock_was_set_back_is_not_waited_for():
    run = running_run()
    leases.begin_to_end(run, patience_seconds=90)
    Run.objects.update(ending_since=timezone.now() + timedelta(hours=1))

    assert leases.begin_to_end(run, patience_seconds=90)


def test_processes_are_ended_by_one_at_a_time():
    run = running_run()

    assert leases.begin_to_end(run, patience_seconds=90)
    assert not leases.begin_to_end(run, patience_seconds=90)

    run.refresh_from_db()
    assert run.ending_since is not None
    Run.objects.update(ending_since=run.ending_since - timedelta(seconds=91))
    assert leases.begin_to_end(run, patience_seconds=90)
