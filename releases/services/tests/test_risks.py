"""The risk of a plan from what the database has: the releases before it, its release, its runs."""

import pytest

from releases.domain.lifecycle import StepStatus
from releases.domain.plans.risk import RiskWord
from releases.models import Release, Service, Step, StepRun
from releases.selectors import get_step
from releases.services.approval.risks import risk_of, risks_of
from releases.services.errors import PlanOutdated
from releases.tests import factories
from terraform_runner.domain.runs import Operation, RunStatus
from terraform_runner.models import Run


@pytest.fixture
def service(db) -> Service:
    return factories.ServiceFactory.create(environment="production")


def released(service: Service, number: int, *, applied: bool = True) -> Step:
    """The canary of a release, planned, and applied if asked for."""
    status = "promoted" if applied else "open"
    release = factories.release_with_steps(
        service, factories.UserFactory.create(), number=number, status=status
    )
    factories.put_in_place(service, release)
    canary = factories.waiting_step(release.steps.get(transition="canary"))
    if applied:
        canary.apply_run = factories.RunFactory.create(
            operation=Operation.APPLY.value, plan_run=canary.plan_run, status=RunStatus.SUCCEEDED
        )
        canary.status = StepStatus.DONE.value
        canary.save()
    return canary


def test_a_step_that_no_release_has_done_before_needs_a_look(service):
    other = factories.ServiceFactory.create()
    released(other, 1)
    assert "No release of this service has done this step before." in risk_of(released(service, 2)).reason


def test_a_step_as_in_the_last_releases_is_routine_and_only_applied_ones_count(service):
    for number in range(1, 8):
        released(service, number)
    Step.objects.filter(release__number=7).update(apply_run=None)
    answer = risk_of(released(service, 8, applied=False))
    assert answer == (RiskWord.ROUTINE, "It changes 1 resource in place, as the last 5 releases did.")


def test_what_only_releases_longer_ago_have_changed_is_unusual(service):
    attribute = {"path": "tags.x", "before": "", "after": "y", "unknown": False, "sensitive": False}
    unusual = [{**factories.CHANGE, "attributes": [attribute]}]
    oldest, *_ = [released(service, number) for number in range(1, 7)]
    now = released(service, 7, applied=False)
    Run.objects.filter(pk__in=[oldest.plan_run_id, now.plan_run_id]).update(changes=unusual)
    assert "The last 5 releases did not change tags.x" in risk_of(get_step(now.pk)).reason


def test_later_releases_are_not_what_an_old_plan_is_compared_with(service):
    first = released(service, 1)
    released(service, 2)
    assert risk_of(first).word is RiskWord.NEEDS_A_LOOK


def test_a_changed_configuration_a_moved_tag_and_changes_from_outside_need_a_look(service):
    released(service, 1)
    step = released(service, 2, applied=False)
    Release.objects.filter(number=2).update(
        configuration={"memory_size": 512}, tag_moved_to="sha256:" + "0" * 64
    )
    StepRun.objects.create(step=step, run=factories.RunFactory.create(error_code=PlanOutdated.code))
    reason = risk_of(get_step(step.pk)).reason
    assert "changed outside Bluegreen" in reason
    assert "tag was moved" in reason
    assert "The configuration changes too: memory." in reason


def test_everyone_at_once_in_production_needs_a_look(service):
    released(service, 1)
    step = released(service, 2, applied=False)
    step.state_after = {**step.state_after, "green_weight": 100}
    assert "In production it moves 100 % of all users at once." in risk_of(step).reason


def test_a_plan_of_no_release_has_nothing_to_be_compared_with(service):
    step = factories.StepFactory.create(release=None, service=service, transition="settings")
    step.plan_run = factories.finished_plan(step)
    assert "It belongs to no release" in risk_of(step).reason


def test_many_plans_need_two_queries(service, django_assert_num_queries):
    steps = [released(factories.ServiceFactory.create(), 1, applied=False) for _ in range(10)]
    with django_assert_num_queries(2):
        assert len(risks_of(steps)) == 10
