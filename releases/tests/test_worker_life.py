"""What a Celery worker says and does at its start and its end."""

import pytest
from celery import current_app

from infra.local.tests.waiting import wait_for
from releases import worker_life
from releases.worker_life import give_up_connection_pool
from terraform_runner import handing_over
from terraform_runner.claims import worker_name
from terraform_runner.models import Worker


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    """What a worker changes in its process is the test's own: its connections stay in their pool."""
    monkeypatch.setattr(worker_life, "give_up_connection_pool", lambda _: None)
    yield
    worker_life.end()
    handing_over._asked[0] = 0


@pytest.mark.django_db(transaction=True)
def test_worker_shows_that_it_is_there_with_its_queues_and_that_it_is_gone():
    worker_life.begin()

    wait_for(Worker.objects.exists, "the worker to be seen")
    worker = Worker.objects.get()
    assert (worker.name, worker.queues) == (worker_name(), sorted(current_app.amqp.queues.consume_from))

    worker_life.end()
    assert not Worker.objects.exists()


def test_worker_has_no_pool_that_celery_could_close_under_a_heartbeat():
    database = {"OPTIONS": {"pool": {"max_size": 20}, "connect_timeout": 5}}

    give_up_connection_pool(database)

    assert database == {"OPTIONS": {"connect_timeout": 5}}


def test_worker_that_is_told_to_stop_hands_over_after_its_grace_time_only(settings):
    settings.WORKER_GRACE_SECONDS = 0.3

    worker_life.hand_over_later()

    assert not handing_over.is_asked()
    wait_for(handing_over.is_asked, "the run to be handed over")
