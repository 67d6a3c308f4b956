import threading
import time
from collections.abc import Callable

import pytest
from django.db import OperationalError

from terraform_runner import pulse, workers
from terraform_runner.models import Worker
from terraform_runner.pulse import Pulse

pytestmark = pytest.mark.django_db(transaction=True)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def beating(monkeypatch):
    """A pulse that beats fast, stopped in the end."""
    monkeypatch.setattr(pulse, "SECONDS", 0.05)
    made = Pulse("host/1/1.0", queues=["runs"])
    made.start()
    yield made
    if any(thread.name == "pulse" for thread in threading.enumerate()):
        made.stop()


def test_worker_is_seen_again_and_again(beating):
    until(Worker.objects.exists)
    first = Worker.objects.get()

    until(lambda: Worker.objects.get().seen_at > first.seen_at)

    assert (first.name, first.queues) == ("host/1/1.0", ["runs"])


def test_worker_that_stops_is_not_there_any_more(beating):
    until(Worker.objects.exists)

    beating.stop()

    assert not Worker.objects.exists()


@pytest.mark.fault
def test_worker_is_seen_again_when_the_database_is_back(monkeypatch, caplog):
    monkeypatch.setattr(pulse, "SECONDS", 0.05)
    failures = iter([OperationalError("gone"), OperationalError("gone")])
    note_seen = workers.note_seen

    def fail_twice(name, **given):
        for failure in failures:
            raise failure
        note_seen(name, **given)

    monkeypatch.setattr(workers, "note_seen", fail_twice)
    made = Pulse("host/1/1.0", queues=["runs"])
    made.start()

    until(Worker.objects.exists)
    made.stop()
    assert caplog.text.count("this worker is not seen") == 2
