"""What a run waits for, as the pages say it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from releases.domain.access.decisions import Permission
from releases.domain.lifecycle import StepStatus
from releases.tests import factories
from releases.tests.factories import ReleaseFactory, ServiceFactory, StepFactory
from releases.views.shown.waiting import in_words, waiting_of
from releases.views.shown.words import Tone
from terraform_runner import claims, workers
from terraform_runner.domain.runs import Operation
from terraform_runner.models import Run
from terraform_runner.workers import Situation

NAMES = {"1": "orders", "2": "payments"}


def situation(**values) -> Situation:
    usual: dict[str, Any] = {"held": False, "workers": 2, "busy_with": (), "silent_for": timedelta(seconds=1)}
    return Situation(**(usual | values))


@pytest.mark.parametrize(
    ("values", "text", "tone"),
    [
        ({"held": True}, "It waits: another run holds this service.", Tone.GO),
        (
            {"busy_with": ("2", "1")},
            "It waits for a free worker (2 of 2 busy: orders, payments).",
            Tone.GO,
        ),
        (
            {"busy_with": ("1", "9")},
            "It waits for a free worker (2 of 2 busy: orders, 1 of services that you may not see).",
            Tone.GO,
        ),
        ({"busy_with": ("1",)}, "A worker is about to take it.", Tone.GO),
        (
            {"workers": 0, "silent_for": timedelta(seconds=47)},
            "It waits: no worker has been seen for 47 s. Look whether they run.",
            Tone.WARN,
        ),
        (
            {"workers": 0, "silent_for": timedelta(minutes=7)},
            "It waits: no worker has been seen for 7 minutes. Look whether they run.",
            Tone.WARN,
        ),
        (
            {"workers": 0, "silent_for": None},
            "It waits: no worker has ever been seen. Start one, as docs/workers.md says.",
            Tone.WARN,
        ),
    ],
)
def test_what_holds_a_run_up_is_said_in_words(values, text, tone):
    waiting = in_words(situation(**values), NAMES)

    assert (waiting.text, waiting.tone) == (text, tone)


@pytest.fixture
def release(db):
    """A release whose step has a plan run that nobody has taken."""
    made = ReleaseFactory.create()
    run = claims.queue_run(workspace=str(made.service.pk), operation=Operation.PLAN)
    StepFactory.create(release=made, status=StepStatus.PLANNING.value, plan_run=run)
    return made


@pytest.fixture
def reader(release):
    return factories.person("reader", release.service, Permission.VIEW)


def test_step_without_a_run_waits_for_no_worker(release, reader):
    assert waiting_of(None, reader) is None
    assert waiting_of(StepFactory.build(release=release), reader) is None


def test_run_that_was_taken_waits_for_nobody(release, reader):
    step = release.steps.get()
    claims.claim(step.plan_run_id, worker="host/1/1.0")
    step.plan_run.refresh_from_db()

    assert waiting_of(step, reader) is None


def test_run_whose_worker_is_silent_says_since_when(release, reader):
    step = release.steps.get()
    claims.claim(step.plan_run_id, worker="host-a/1/1.0")
    Run.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=5))
    step.plan_run.refresh_from_db()

    waiting = waiting_of(step, reader)

    assert waiting is not None
    assert waiting.text.startswith("Its worker on host-a has not been heard of for 5")
    assert waiting.tone is Tone.WARN


def test_urgent_run_waits_for_urgent_workers_only(release, reader):
    workers.note_seen("host/1/1.0", queues=["runs"])
    step = release.steps.get()
    waiting = waiting_of(step, reader)
    assert waiting is not None
    assert waiting.tone is Tone.GO

    step.plan_run.urgent = True
    waiting = waiting_of(step, reader)
    assert waiting is not None
    assert "no worker has ever been seen" in waiting.text


def test_pages_of_a_release_and_of_its_service_say_it(client, release, reader):
    other = ServiceFactory.create(name="secret-service")
    claims.claim(claims.queue_run(workspace=str(other.pk), operation=Operation.PLAN).pk, worker="host/1/1.0")
    workers.note_seen("host/1/1.0", queues=["runs"])
    client.force_login(reader)
    address = f"/services/{release.service.name}/"

    for page in (address, f"{address}releases/{release.number}/"):
        text = client.get(page).content.decode()
        assert "It waits for a free worker (1 of 1 busy: 1 of services that you may not see)." in text
        assert "secret-service" not in text
