"""The broker is emptied, frozen, killed again and again; messages are doubled or forged; a worker goes deaf.

Real workers on a real broker, with a program in Terraform's place that writes down whenever it plans.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from celery import Celery, current_app
from django.test import Client

from audit.events import Actor
from infra.local.tests.waiting import wait_for
from infra.sandbox.info import SandboxInfo
from releases.models import Service
from releases.services.provisioning import setup
from releases.worker_life import START_AGAIN
from terraform_runner.domain.runs import RunStatus
from terraform_runner.models import Run, Worker
from terraform_runner.tests.support import TERRAFORM, stand_in
from tests.broker import Fragile, fragile_broker
from tests.installation import SCHEDULER, WORKER
from tests.life import new_service
from tests.machine import Machine, running_machine

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

TESTS = Actor(id="", name="tests", via="command")
# FAULTS B6: workers take work again within this time.
AGAIN_SECONDS = 60
# Whoever asks never waits for the broker; the rest is a busy machine's time for the request itself.
ASK_SECONDS = 15
# Writes down that it plans, and takes as long for it as the file "seconds" says.
SLOW = """
import os, sys, time
folder = os.path.dirname(sys.argv[0])
if sys.argv[1] == "plan":
    open(os.path.join(folder, "plans"), "a").write("p")
    time.sleep(float(open(os.path.join(folder, "seconds")).read()))
"""
IMPATIENT_WORKER = ("-m", "tests.impatient_worker")


@pytest.fixture
def fragile(tmp_path_factory) -> Iterator[Fragile]:
    with fragile_broker(tmp_path_factory.mktemp("broker")) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def machine(fragile, sandbox: SandboxInfo, settings, folder: Path) -> Iterator[Machine]:
    """A machine with a scheduler and one worker of each queue, all of them ready."""
    settings.AWS_ENDPOINT_URL = sandbox.endpoint_url
    settings.AWS_ACCESS_KEY_ID = sandbox.access_key_id
    settings.AWS_SECRET_ACCESS_KEY = sandbox.secret_access_key
    settings.DATA_DIR = folder / "data"
    settings.TERRAFORM_BIN = stand_in(folder, SLOW + TERRAFORM)
    (folder / "seconds").write_text("0.5")
    with running_machine(folder / "machine", fragile.broker.url) as made:
        made.start(*WORKER)
        wait_for(lambda: Worker.objects.filter(queues=["runs"]).exists(), "the worker")
        yield made


@pytest.fixture
def ask(sandbox: SandboxInfo):
    """Ask for a service: a plan is queued for it. Gives its name."""

    def ask() -> str:
        name = f"b{uuid4().hex[:10]}"
        setup.create_service(
            new_service(
                sandbox,
                name,
                priority=20_001 + 2 * Service.objects.count(),
                canary_addresses=["127.0.0.9/32"],
            ),
            actor=TESTS,
        )
        return name

    return ask


def plans_of(name: str) -> list[str]:
    workspace = str(Service.objects.get(name=name).pk)
    return list(Run.objects.filter(workspace=workspace, operation="plan").values_list("status", flat=True))


def wait_until_planned(name: str, *, seconds: float = AGAIN_SECONDS) -> None:
    wait_for(lambda: plans_of(name) == [RunStatus.SUCCEEDED], f"{name} to be planned", seconds=seconds)


def test_a_broker_that_was_emptied_or_killed_loses_nothing(machine, fragile, ask, folder):
    names = [ask()]
    fragile.client().flushall()
    fragile.kill()
    began = time.monotonic()
    names.append(ask())
    assert time.monotonic() - began < ASK_SECONDS
    assert Client().get("/readyz").json()["broker"].startswith("The broker does not answer.")
    fragile.start()
    for name in names:
        wait_until_planned(name)
    assert (folder / "plans").read_text() == "pp"
    assert Client().get("/readyz").json()["broker"] == "ok"


def test_forged_messages_do_nothing(machine, fragile, ask, folder):
    name = ask()
    wait_until_planned(name)
    done = Run.objects.filter(operation="plan").get()
    before = sorted(Run.objects.values_list("pk", "status"))
    for task, args in (
        ("releases.execute_run", [str(done.pk)]),
        ("releases.execute_run", [str(uuid4())]),
        ("releases.execute_run", ["1; DROP TABLE"]),
        ("releases.execute_run", []),
        ("releases.approve", [str(done.pk)]),
        ("os.system", ["true"]),
    ):
        for queue in ("runs", "urgent"):
            current_app.send_task(task, args=args, queue=queue)
    pickled = json.dumps({"body": "gASVBQAAAAAAAABdlC4=", "content-type": "application/x-python-serialize"})
    fragile.client().lpush("runs", pickled, json.dumps({"body": 1}))
    fragile.client().set("lease", "mine")
    wait_until_planned(ask())
    assert (folder / "plans").read_text() == "pp"
    assert [one for one in sorted(Run.objects.values_list("pk", "status")) if one in before] == before


def test_what_is_no_message_at_all_costs_a_worker_its_start_and_nothing_else(machine, fragile, ask):
    (worker,) = (one for one in machine.started if one.args[1:] == WORKER)
    fragile.client().lpush("runs", "no message at all")
    wait_for(lambda: worker.poll() is not None, "the worker to end")
    assert worker.returncode == START_AGAIN
    machine.start(*WORKER)
    wait_until_planned(ask())


def test_a_worker_that_has_gone_deaf_ends_to_be_started_again(machine, fragile, ask):
    (worker,) = (one for one in machine.started if one.args[1:] == WORKER)
    broadcaster = Celery(broker=fragile.broker.url, set_as_current=False)
    broadcaster.control.cancel_consumer("runs")
    began = time.monotonic()
    wait_for(lambda: worker.poll() is not None, "the deaf worker to end", seconds=AGAIN_SECONDS)
    assert worker.returncode == START_AGAIN
    assert "hears nothing of its queue any more" in machine.log()
    name = ask()
    assert Client().get("/readyz").json()["workers"].startswith("No worker of the queue runs")
    machine.start(*WORKER)
    wait_until_planned(name)
    assert time.monotonic() - began < 2 * AGAIN_SECONDS


@pytest.mark.long
def test_a_broker_that_is_frozen_for_a_minute_and_a_half_holds_nobody_up(machine, fragile, ask):
    with fragile.frozen():
        began = time.monotonic()
        name = ask()
        assert time.monotonic() - began < ASK_SECONDS
        time.sleep(90)
        assert Client().get("/readyz").status_code == 503
        assert plans_of(name) == [RunStatus.QUEUED]
    wait_until_planned(name)


@pytest.mark.long
def test_a_broker_that_is_killed_fifty_times_is_found_again(machine, fragile, ask):
    for _ in range(50):
        fragile.kill()
        fragile.start()
        time.sleep(0.2)
    wait_until_planned(ask())
    assert not [one for one in machine.started if one.poll() is not None]


@pytest.mark.long
def test_a_scheduler_that_was_away_and_two_at_once_do_everything_once(machine, fragile, ask, folder):
    (scheduler,) = (one for one in machine.started if "beat" in one.args)
    machine.kill(scheduler)
    fragile.kill()
    name = ask()
    fragile.start()
    time.sleep(15)
    assert plans_of(name) == [RunStatus.QUEUED]
    for number in range(2):
        machine.start(*SCHEDULER, f"--schedule={folder}/schedule-{number}")
    wait_until_planned(name)
    time.sleep(5)
    assert (folder / "plans").read_text() == "p"


@pytest.mark.long
def test_one_run_and_no_more_of_a_minute_whose_message_comes_again_and_again(machine, fragile, ask, folder):
    """FAULTS W1, B4: two workers, a visibility time-out of 5 s, and the message sent ten times."""
    (folder / "seconds").write_text("60")
    for worker in [one for one in machine.started if one.args[1:] == WORKER]:
        machine.kill(worker)
    for _ in range(2):
        machine.start(*IMPATIENT_WORKER)
    name = ask()
    wait_for((folder / "plans").exists, "the run to begin")
    run = Run.objects.get()
    for _ in range(10):
        current_app.send_task("releases.execute_run", args=[str(run.pk)], queue="runs")
        time.sleep(6)
    wait_until_planned(name)
    time.sleep(15)
    assert (folder / "plans").read_text() == "p"
    assert machine.log().count("is not to be taken now") >= 10
