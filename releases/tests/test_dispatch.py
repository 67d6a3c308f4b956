"""Messages: sent after the commit, carrying an id, believed by nobody."""

import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID, uuid4

import pytest
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from infra.local.tests.waiting import wait_for
from releases import dispatch, tasks
from releases.services.execution import recovery, runs
from releases.tests.factories import RunFactory
from terraform_runner import claims
from terraform_runner.domain.runs import RunStatus


@pytest.fixture(autouse=True)
def _own_thread(monkeypatch):
    """The broker's thread is each test's own: what still waits in another test's holds nothing up here."""
    monkeypatch.setattr(dispatch, "_sender", dispatch._Sender())


@pytest.fixture
def patient(monkeypatch) -> None:
    """A busy machine may take a while to send even what nothing keeps from it."""
    monkeypatch.setattr(dispatch, "PATIENCE_SECONDS", dict.fromkeys(dispatch.PATIENCE_SECONDS, 60.0))


@pytest.fixture
def frozen(monkeypatch) -> Iterator[threading.Event]:
    """A broker that takes what is sent, and answers when this is set."""
    answers = threading.Event()
    monkeypatch.setattr(current_app, "send_task", lambda *_, **__: answers.wait())
    yield answers
    answers.set()


@pytest.fixture
def sent(monkeypatch):
    """What was sent: the task's name and its arguments."""
    messages: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **_: messages.append((name, args)))
    return messages


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_told_after_the_commit_only(patient, sent):
    run_id = uuid4()
    with transaction.atomic():
        dispatch.send_run(run_id)
        assert sent == []
    assert sent == [("releases.execute_run", [str(run_id)])]


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_not_told_of_what_was_taken_back(sent):
    with transaction.atomic():
        dispatch.send_run(uuid4())
        transaction.set_rollback(True)
    assert sent == []


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_takes_nothing_is_said_in_the_log_and_fails_nobody(monkeypatch, caplog):
    def refuse(*_, **__):
        raise OperationalError("connection refused")

    monkeypatch.setattr(current_app, "send_task", refuse)
    run_id = uuid4()
    dispatch.send_run(run_id)
    assert f"run {run_id} waits for the sweeper" in caplog.text


@pytest.fixture
def hanging_up(monkeypatch):
    """A broker that takes connections and resets each as soon as something is sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            while True:
                try:
                    near, _ = listener.accept()
                except OSError:
                    return
                near.settimeout(10)
                with suppress(OSError):
                    near.recv(1)
                near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                near.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        for name in ("broker_url", "broker_read_url", "broker_write_url"):
            monkeypatch.setattr(current_app.conf, name, f"redis://127.0.0.1:{listener.getsockname()[1]}/0")
        current_app._after_fork()  # type: ignore[attr-defined]  # connections that there were before
        yield
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    current_app._after_fork()  # type: ignore[attr-defined]


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_hangs_up_in_the_middle_of_a_message_fails_nobody(hanging_up, caplog):
    """FAULTS B3."""
    run_id = uuid4()
    dispatch.send_run(run_id)
    assert f"run {run_id} waits for the sweeper" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_slow_is_waited_for_once_and_by_a_press_a_moment_only(frozen, caplog):
    began = time.monotonic()
    for _ in range(50):
        dispatch.send_run(uuid4(), urgent=True)
    assert 0.2 <= time.monotonic() - began < 10  # each waited for alone would be 10 s
    assert "no answer within 0.2 s" in caplog.text
    assert caplog.text.count("waits for the sweeper") == 50


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_answers_again_is_told_again(frozen, monkeypatch):
    sent: list[str] = []
    dispatch.send_run(uuid4())
    monkeypatch.setattr(current_app, "send_task", lambda name, **_: sent.append(name))
    frozen.set()

    def told() -> bool:
        dispatch.send_run(uuid4())
        return bool(sent)

    wait_for(told, "the broker to be told again")


@pytest.mark.django_db(transaction=True)
def test_a_forked_process_has_a_thread_of_its_own_for_the_broker(patient, sent):
    dispatch.send_run(uuid4())
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        dispatch.send_look(uuid4())
        os.write(writer, b"told" if len(sent) == 2 else b"not told")
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    assert os.read(reader, 10) == b"told"


def test_a_message_is_executed_by_this_very_process(monkeypatch):
    executed: list[tuple[UUID, str]] = []
    monkeypatch.setattr(runs, "execute", lambda run_id, *, worker: executed.append((run_id, worker)))
    run_id = uuid4()
    tasks.execute_run(str(run_id))
    assert executed == [(run_id, claims.worker_name())]


def test_the_scheduler_s_message_sweeps(monkeypatch):
    swept: list[bool] = []
    monkeypatch.setattr(recovery, "sweep", lambda: swept.append(True))
    tasks.sweep()
    assert swept == [True]


@pytest.mark.django_db
def test_a_message_about_no_run_does_nothing():
    tasks.execute_run(str(uuid4()))


@pytest.mark.django_db
@pytest.mark.parametrize("status", [one for one in RunStatus if one != RunStatus.QUEUED])
def test_a_message_about_a_run_that_is_not_queued_does_nothing(status):
    """Doubled, late or forged: FAULTS W1, B4."""
    run = RunFactory.create(status=status, worker="somebody")
    tasks.execute_run(str(run.pk))
    run.refresh_from_db()
    assert (run.status, run.worker) == (status, "somebody")


def test_a_message_that_is_no_id_is_refused():
    with pytest.raises(ValueError, match="UUID"):
        tasks.execute_run("1; DROP TABLE")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("urgent", "queue"), [(False, "runs"), (True, "urgent")])
def test_what_is_urgent_has_a_queue_of_its_own(patient, monkeypatch, urgent, queue):
    queues = []
    monkeypatch.setattr(current_app, "send_task", lambda *_, queue, **__: queues.append(queue))
    dispatch.send_run(uuid4(), urgent=urgent)
    assert queues == [queue]


def test_the_sweep_never_waits_behind_runs():
    assert current_app.amqp.router.route({}, "releases.sweep")["queue"].name == "urgent"
    assert current_app.conf.task_default_queue == "runs"
