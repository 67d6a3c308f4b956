from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from terraform_runner import workers
from terraform_runner.models import Run, Worker
from terraform_runner.tests.factories import queued_run, running_run
from terraform_runner.workers import Situation

pytestmark = pytest.mark.django_db

A, B, C = "host/1/1.0", "host/2/1.0", "other/1/1.0"


def seen(*names: str, queue: str = "runs", ago: float = 0) -> None:
    for name in names:
        workers.note_seen(name, queues=[queue])
    Worker.objects.filter(pk__in=names).update(seen_at=F("seen_at") - timedelta(seconds=ago))


def met(run: Run, queue: str = "runs") -> Situation:
    return workers.situation(run, queue=queue)


def test_worker_that_was_never_seen_is_none():
    situation = met(queued_run())

    assert situation == Situation(held=False, workers=0, busy_with=(), silent_for=None)


def test_workers_of_any_machine_count_each_once():
    seen(A, B, C)
    seen(A)

    assert met(queued_run()).workers == 3


def test_workers_of_another_queue_do_not_count():
    seen(A, queue="urgent")

    assert met(queued_run()).workers == 0
    assert met(queued_run(), "urgent").workers == 1


def test_worker_that_was_not_seen_for_forty_seconds_does_not_count_and_it_is_known_since_when():
    seen(A, ago=41)
    seen(B, ago=300)

    situation = met(queued_run())

    assert situation.workers == 0
    assert situation.silent_for is not None
    assert 41 <= situation.silent_for.total_seconds() < 60


def test_worker_that_has_ended_in_good_order_does_not_count():
    seen(A, B)
    workers.note_gone(A)

    assert met(queued_run()).workers == 1


def test_it_is_known_what_busy_workers_are_busy_with():
    seen(A, B, C)
    running_run("orders", worker=A)
    running_run("payments", worker=C)
    running_run("unseen", worker="gone/1/1.0")

    assert set(met(queued_run("shop")).busy_with) == {"orders", "payments"}


def test_run_of_a_held_workspace_waits_for_that():
    running_run("shop", worker=A)

    assert met(queued_run("shop")).held
    assert not met(queued_run("orders")).held


def test_workers_that_were_silent_for_a_day_are_forgotten():
    seen(A, ago=86_500)
    seen(B, ago=3_600)

    workers.forget_silent()

    assert [worker.pk for worker in Worker.objects.all()] == [B]


def test_two_queries_tell_whatever_there_is():
    run = queued_run()
    for number in range(3):
        seen(f"host/{number}/1.0")
        running_run(f"service-{number}", worker=f"host/{number}/1.0")
        with CaptureQueriesContext(connection) as queries:
            met(run)
        assert len(queries) == 2


def test_worker_is_named():
    assert str(Worker(name=A)) == A
