"""Old plans go, and never one that somebody could still need."""

import hashlib
from datetime import timedelta

import pytest
from django.utils import timezone

from aws.errors import AwsError
from releases.domain.lifecycle import StepStatus
from releases.models import Step
from releases.services.execution import storage
from releases.services.execution.pruning import prune_plans
from releases.tests.factories import ServiceFactory
from terraform_runner.errors import PlanMissing
from terraform_runner.models import Run

pytestmark = pytest.mark.django_db
DAYS = 30


@pytest.fixture(autouse=True)
def here(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.KEEP_PLANS_DAYS = DAYS


def planned(*, days_ago: float, status: StepStatus = StepStatus.DONE, document: bytes = b"") -> Run:
    """The plan run of a step, with its plan and its JSON in the store."""
    number = Run.objects.count()
    store = storage.plan_store()
    run = Run.objects.create(
        workspace="service",
        operation="plan",
        status="succeeded",
        ended_at=timezone.now() - timedelta(days=days_ago),
        plan_sha256=store.put(f"plan {number}".encode()),
        document_sha256=store.put(document or f'"document {number}"'.encode()),
    )
    service = ServiceFactory.create()
    Step.objects.create(
        service=service, transition="canary", candidate_share=0, status=status.value, plan_run=run
    )
    return run


def is_kept(run: Run) -> bool:
    names = set(storage.objects(storage.PLANS).names())
    run.refresh_from_db()
    kept = {run.plan_sha256, run.document_sha256} <= names
    assert kept is (run.plan_removed_at is None)
    return kept


def test_the_plan_of_a_step_that_ended_long_ago_is_removed_with_its_json():
    old, young = planned(days_ago=DAYS + 1), planned(days_ago=DAYS - 1)

    assert prune_plans() == 1

    assert not is_kept(old)
    assert is_kept(young)
    with pytest.raises(PlanMissing):
        storage.plan_store().read_json(old.document_sha256)


@pytest.mark.parametrize("status", sorted(set(StepStatus) - {"done", "skipped", "abandoned"}))
def test_a_plan_whose_step_has_not_ended_is_kept_however_old_it_is(status):
    run = planned(days_ago=1_000, status=status)

    assert prune_plans() == 0
    assert is_kept(run)


def test_a_plan_that_was_made_again_goes_with_its_step_s_end_or_before():
    """The step has another plan by now: nothing leads to the first one."""
    run = planned(days_ago=DAYS + 1, status=StepStatus.WAITING)
    Step.objects.update(plan_run=planned(days_ago=0))

    assert prune_plans() == 1
    assert not is_kept(run)


def test_bytes_that_a_younger_plan_has_too_are_kept():
    old, young = (planned(days_ago=days, document=b'"same"') for days in (DAYS + 1, 0))

    prune_plans()

    old.refresh_from_db()
    assert old.plan_removed_at is not None
    assert storage.plan_store().read_json(young.document_sha256) == "same"


def test_a_run_without_a_plan_is_left_alone():
    Run.objects.create(
        workspace="service", operation="plan", status="failed", ended_at=timezone.now() - timedelta(days=99)
    )

    assert prune_plans() == 0


def test_many_are_removed_in_several_turns(monkeypatch):
    monkeypatch.setattr("releases.services.execution.pruning.AT_ONCE", 2)
    for _ in range(3):
        planned(days_ago=DAYS + 1)

    assert [prune_plans(), prune_plans(), prune_plans()] == [2, 1, 0]


@pytest.mark.fault
def test_a_store_that_does_not_answer_is_tried_again_the_next_time(monkeypatch):
    run = planned(days_ago=DAYS + 1)

    def fail() -> None:
        raise AwsError("aws:unreachable", "AWS did not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(storage, "plan_store", fail)
        assert prune_plans() == 0
    assert is_kept(run)

    assert prune_plans() == 1


def test_the_digest_that_is_shown_stays_after_its_plan_went():
    run = planned(days_ago=DAYS + 1)
    before = run.plan_sha256

    prune_plans()

    run.refresh_from_db()
    assert run.plan_sha256 == before == hashlib.sha256(b"plan 0").hexdigest()
