from datetime import timedelta

import pytest
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terraform_runner import claims, selectors
from terraform_runner.domain.runs import Operation
from terraform_runner.models import LogChunk, Run
from terraform_runner.tests.factories import planned_run, queued_run, running_run

pytestmark = pytest.mark.django_db


def age(run: Run, seconds: int, *fields: str) -> None:
    """Make it as if this had been so much earlier."""
    Run.objects.filter(pk=run.pk).update(**{name: F(name) - timedelta(seconds=seconds) for name in fields})


def test_run_comes_with_its_plan_in_one_query(django_assert_num_queries):
    plan = planned_run()
    apply = claims.queue_run(workspace="service", operation=Operation.APPLY, plan_run=plan)

    with django_assert_num_queries(1):
        assert selectors.get_run(apply.pk).plan_run == plan


def test_runs_of_a_workspace_are_listed_newest_first():
    first, second, _ = queued_run(), queued_run(), queued_run("other")

    assert list(selectors.list_runs("service")) == [second, first]


def test_run_whose_message_is_lost_is_found_after_a_while():
    fresh, lost = queued_run(), queued_run()
    age(lost, 60, "queued_at")

    assert list(selectors.list_unsent(older_than_seconds=30)) == [lost]
    assert fresh not in selectors.list_unsent(older_than_seconds=30)


def test_run_that_was_sent_again_is_left_alone_for_a_while():
    run = queued_run()
    age(run, 60, "queued_at")
    claims.mark_sent([run.pk])

    assert not selectors.list_unsent(older_than_seconds=30)

    age(run, 60, "sent_at")
    assert list(selectors.list_unsent(older_than_seconds=30)) == [run]


def test_run_that_was_sent_before_the_clock_was_set_back_is_not_waited_for():
    run = queued_run()
    claims.mark_sent([run.pk])
    age(run, -3600, "sent_at")

    assert list(selectors.list_unsent(older_than_seconds=30)) == [run]


def test_run_that_was_taken_is_not_sent_again():
    age(running_run(), 60, "queued_at")

    assert not selectors.list_unsent(older_than_seconds=30)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(1, 4), max_size=6), after=st.integers(0, 20), limit=st.integers(1, 20))
def test_lines_are_found_by_number_however_they_were_kept(sizes, after, limit):
    LogChunk.objects.all().delete()
    Run.objects.all().delete()
    run = queued_run()
    everything = [f"line {number}" for number in range(sum(sizes))]
    for index, size in enumerate(sizes):
        first = sum(sizes[:index])
        LogChunk.objects.create(run=run, first_line=first, lines=everything[first : first + size])

    found = selectors.list_lines(run.pk, after=after, limit=limit)

    assert found == list(enumerate(everything))[after : after + limit]
