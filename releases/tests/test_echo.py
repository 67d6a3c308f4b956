"""A worker that hears nothing of its queue any more notices."""

import threading

import pytest
from celery import current_app
from kombu.exceptions import OperationalError

from infra.local.tests.waiting import wait_for
from releases.echo import MOST_UNHEARD, TASK, Echo


class Worker:
    """The worker around an echo: the messages that were sent, and how often it was found to be deaf."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.free = True
        self.deaf = 0
        self.broker_is_down = False
        self.echo = Echo("runs", is_free=lambda: self.free, when_deaf=self.note_deaf)

    def note_deaf(self) -> None:
        self.deaf += 1

    def send(self, task, *, queue, **_):
        if self.broker_is_down:
            raise OperationalError("connection refused")
        self.sent.append(f"{task} to {queue}")

    def beat(self, times: int) -> None:
        for _ in range(times):
            self.echo.beat()


@pytest.fixture
def worker(monkeypatch) -> Worker:
    made = Worker()
    monkeypatch.setattr(current_app, "send_task", made.send)
    return made


def test_echoes_go_through_the_very_queue(worker):
    worker.beat(1)
    assert worker.sent == [f"{TASK} to runs"]


def test_who_hears_none_of_many_is_deaf(worker):
    worker.beat(MOST_UNHEARD)
    assert worker.deaf == 0
    worker.beat(1)
    assert worker.deaf == 1


def test_any_message_shows_that_it_hears(worker):
    for _ in range(3):
        worker.beat(MOST_UNHEARD)
        worker.echo.heard()
    assert worker.deaf == 0


def test_a_worker_that_is_busy_all_over_takes_nothing_and_is_not_deaf(worker):
    worker.beat(MOST_UNHEARD)
    worker.free = False
    worker.beat(10)
    assert (worker.deaf, len(worker.sent)) == (0, MOST_UNHEARD)
    worker.free = True
    worker.beat(MOST_UNHEARD)
    assert worker.deaf == 0


def test_nobody_is_deaf_because_the_broker_is_down(worker):
    worker.broker_is_down = True
    worker.beat(10)
    worker.broker_is_down = False
    worker.beat(MOST_UNHEARD)
    assert worker.deaf == 0


def test_it_is_said_once(worker, monkeypatch):
    monkeypatch.setattr("releases.echo.SECONDS", 0.001)
    worker.echo.start()
    wait_for(lambda: worker.deaf, "it to be found deaf")
    wait_for(lambda: "echo" not in {one.name for one in threading.enumerate()}, "its thread to end")
    assert worker.deaf == 1
