"""What a Celery worker says and does at its start and its end."""

import os
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from celery import current_app
from celery.worker import state

from infra.local.tests.leftovers import threads_left
from infra.local.tests.waiting import wait_for
from releases import echo, worker_life
from releases.worker_life import give_up_connection_pool
from terraform_runner import handing_over
from terraform_runner.claims import worker_name
from terraform_runner.models import Worker


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    """What a worker changes in its process is the test's own: its connections stay in their pool."""
    monkeypatch.setattr(worker_life, "give_up_connection_pool", lambda _: None)
    before = threading.enumerate()
    yield
    worker_life.end()
    for each in worker_life._echoes:
        each.stop()
    worker_life._echoes.clear()
    # Its echoes and timers have come to their end before what they did is taken back.
    assert threads_left(before, seconds=60) == []
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


def test_worker_that_is_told_to_stop_hands_over_after_its_grace_time_only(settings, monkeypatch):
    later: list[tuple[float, Callable[[], None]]] = []
    monkeypatch.setattr(worker_life, "_later", lambda *given: later.append(given))
    settings.WORKER_GRACE_SECONDS = 7

    worker_life.hand_over_later()

    [(seconds, act)] = later
    assert (seconds, handing_over.is_asked()) == (7, False)
    act()
    assert handing_over.is_asked()


@pytest.mark.django_db(transaction=True)
def test_worker_without_a_terraform_says_so_where_everybody_sees_it(settings):
    settings.TERRAFORM_BIN = "/nowhere/terraform"

    worker_life.begin()

    wait_for(Worker.objects.exists, "the worker to be seen")
    assert "There is no /nowhere/terraform to run on this machine" in Worker.objects.get().problem


@pytest.fixture
def gives_back() -> bool:
    """Whether the worker's queue gives back what it takes."""
    return False


@pytest.fixture
def listening(monkeypatch, gives_back):
    """A worker that is free, and what it sends to its queue."""
    sent: list[str] = []

    def take(name: str, **_: Any) -> None:
        sent.append(name)
        if gives_back:
            worker_life.hear()

    monkeypatch.setattr(current_app.amqp.queues, "_consume_from", {"runs": None})
    monkeypatch.setattr(current_app, "send_task", take)
    monkeypatch.setattr("releases.echo.SECONDS", 0.01)
    monkeypatch.setattr(state, "should_stop", None)
    # The last resort ends the process, which is the test's own here, and long after it.
    monkeypatch.setattr(worker_life, "_later", lambda *_: None)
    worker_life.listen(SimpleNamespace(initial_prefetch_count=1))  # type: ignore[arg-type]
    return sent


def test_worker_that_hears_nothing_ends_with_the_code_by_which_it_is_started_again(listening):
    wait_for(lambda: state.should_stop, "the worker to be stopped")

    assert state.should_stop == worker_life.START_AGAIN
    assert echo.TASK in listening


@pytest.mark.parametrize("gives_back", [True])
def test_worker_that_hears_goes_on(listening):
    wait_for(lambda: len(listening) > 20, "echoes to be sent")
    assert state.should_stop is None


def test_worker_that_does_not_even_end_is_ended(settings, monkeypatch):
    settings.WORKER_GRACE_SECONDS = settings.TERRAFORM_GRACE_SECONDS = 0
    codes: list[int] = []
    monkeypatch.setattr(state, "should_stop", None)
    monkeypatch.setattr(worker_life, "REST_SECONDS", 0.1)
    monkeypatch.setattr(os, "_exit", codes.append)

    worker_life.start_again()

    wait_for(lambda: codes == [worker_life.START_AGAIN], "the worker to be ended")


@pytest.mark.parametrize(("code", "ends_with"), [(1, worker_life.START_AGAIN), (0, 0), (None, None)])
def test_worker_that_failed_is_started_again_and_one_that_was_stopped_is_not(code, ends_with):
    worker = SimpleNamespace(exitcode=code)

    worker_life.ask_for_another(worker)  # type: ignore[arg-type]

    assert worker.exitcode == ends_with
