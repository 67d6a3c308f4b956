"""States that runs could not write: kept where every machine finds them, and pushed by the next run."""

from collections.abc import Iterator

import pytest

from audit.models import AuditEvent
from aws.artifacts import Bucket
from aws.errors import AwsError
from releases.domain.lifecycle import StepStatus
from releases.services.execution import outcomes, storage, stored_states, unsaved_states
from releases.services.tests.conftest import TESTS
from terraform_runner.errors import StateUnsaved
from terraform_runner.models import Run


@pytest.fixture
def unsaved(life) -> Iterator[Run]:
    """A run of the service that could not write the state, which was kept."""
    run = life.service.steps.get().apply_run
    storage.unsaved_states().put(str(run.pk), b"the only one")
    yield run
    unsaved_states.forget(life.service)


def test_none_is_found_where_none_was_kept(life):
    assert unsaved_states.find(life.service) is None


def test_the_last_one_that_was_kept_is_found(life, unsaved):
    found = unsaved_states.find(life.service)
    assert found is not None
    assert (found.content, found.place) == (b"the only one", storage.unsaved_states().place(str(unsaved.pk)))


def test_once_it_is_pushed_it_is_kept_no_longer_and_the_trail_tells(life, unsaved):
    found = unsaved_states.find(life.service)
    assert found is not None
    found.settled()
    assert AuditEvent.objects.get(action="service.state-pushed").subject["run"] == str(unsaved.pk)
    assert unsaved_states.find(life.service) is None


def test_a_persons_word_for_the_stored_state_ends_it_too(life, unsaved):
    stored_states.accept_state(life.service, actor=TESTS, reason="looked at both")
    assert unsaved_states.find(life.service) is None


def test_a_store_that_does_not_answer_is_told_as_the_runner_expects_it(settings, monkeypatch):
    def no_answer(*_: object) -> None:
        raise AwsError("aws:unreachable", "AWS did not answer.")

    settings.STORAGE_BUCKET, settings.STORAGE_ACCOUNT_ID, settings.STORAGE_REGION = "b", "1", "r"
    monkeypatch.setattr(Bucket, "put", no_answer)
    with pytest.raises(OSError, match="AWS did not answer"):
        storage.unsaved_states().put("7", b"")


def test_a_step_whose_state_could_not_be_written_is_planned_again(life):
    life.request()
    life.world.apply_fails = StateUnsaved("It is kept.")
    step = life.step()
    life.start()
    step.refresh_from_db()
    assert step.problem_code == "run:lost-too-often"
    assert step.step_runs.filter(run__operation="apply").count() == outcomes.MOST_LOST_RUNS_PER_STEP
    assert step.status == StepStatus.FAILED
