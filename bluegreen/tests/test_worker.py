import os
import sys

import pytest

from bluegreen import worker
from terraform_runner import capacity


@pytest.fixture(autouse=True)
def _unset(monkeypatch):
    monkeypatch.delenv("BLUEGREEN_WORKERS", raising=False)
    monkeypatch.setattr(capacity, "runs_at_once", lambda: 3)


def test_worker_executes_as_many_runs_as_fit_the_machine():
    command = worker.command(urgent=False)

    assert "--concurrency=3" in command
    assert "--queues=runs" in command


def test_setting_says_how_many_instead(monkeypatch):
    monkeypatch.setenv("BLUEGREEN_WORKERS", "7")

    assert "--concurrency=7" in worker.command(urgent=False)


def test_what_is_urgent_has_a_worker_of_its_own_whatever_the_setting_says(monkeypatch):
    monkeypatch.setenv("BLUEGREEN_WORKERS", "7")

    command = worker.command(urgent=True)

    assert "--concurrency=3" in command
    assert "--queues=urgent" in command


def test_two_workers_of_one_machine_have_two_names():
    names = {
        next(word for word in worker.command(urgent=urgent) if word.startswith("--hostname="))
        for urgent in (True, False)
    }

    assert names == {f"--hostname={queue}-{os.getpid()}@%h" for queue in ("runs", "urgent")}


@pytest.mark.parametrize("given", ["0", "-1", "1001", "two", "2.5", "٣"])
def test_number_that_is_none_is_refused_in_words(monkeypatch, given):
    monkeypatch.setenv("BLUEGREEN_WORKERS", given)

    with pytest.raises(SystemExit, match="use a number from 1 to 1000"):
        worker.wanted_at_once()


def test_program_becomes_celery_itself(monkeypatch):
    became = []
    monkeypatch.setattr(os, "execv", lambda path, argv: became.append((path, argv)))
    monkeypatch.setattr(sys, "argv", ["worker", "--urgent"])

    worker.main()

    ((path, argv),) = became
    assert path == sys.executable
    assert "--queues=urgent" in argv
