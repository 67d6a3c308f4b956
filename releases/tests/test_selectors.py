"""Reads: what comes first, what is left out, and that the number of queries does not grow."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.events import Actor, record
from releases import selectors
from releases.domain.lifecycle import StepStatus
from releases.domain.traffic import Transition
from releases.models import BrokenGlass, EmergencyRollback, Service, Step, StepRun
from releases.tests import factories
from releases.tests.factories import ReleaseFactory, RunFactory, ServiceFactory, StepFactory
from terraform_runner.models import LogChunk

pytestmark = pytest.mark.django_db
OTTO = Actor(id="3", name="otto", via="page")


def convergence(service: Service, **columns) -> Step:
    return Step.objects.create(service=service, transition=Transition.ROLLBACK, candidate_share=0, **columns)


def pressed(service: Service, *, epoch: int, status: str = StepStatus.PLANNING) -> EmergencyRollback:
    return EmergencyRollback.objects.create(
        service=service,
        epoch=epoch,
        pressed_by=factories.UserFactory.create(),
        pressed_at=timezone.now(),
        converge=convergence(service, status=status),
    )


def test_a_convergence_comes_before_the_release_s_steps_and_these_in_their_order(service):
    release = ReleaseFactory.create(service=service)
    second = StepFactory.create(release=release, position=1)
    first = StepFactory.create(release=release, position=0)
    before_all = convergence(service)
    assert list(selectors.unfinished_steps(service)) == [before_all, first, second]
    assert selectors.current_step(service) == before_all


@pytest.mark.parametrize("status", [StepStatus.DONE, StepStatus.ABANDONED])
def test_what_has_ended_is_not_where_a_service_is(service, status):
    release = ReleaseFactory.create(service=service)
    StepFactory.create(release=release, status=status)
    assert selectors.current_step(service) is None


@pytest.mark.parametrize("status", [StepStatus.FAILED, StepStatus.REJECTED])
def test_what_has_failed_is_where_a_service_stands_until_it_is_rolled_back(service, status):
    release = ReleaseFactory.create(service=service)
    failed = StepFactory.create(release=release, position=0, status=status)
    StepFactory.create(release=release, position=1)
    assert selectors.current_step(service) == failed


def test_the_steps_of_a_release_that_has_ended_are_over(service):
    StepFactory.create(release=ReleaseFactory.create(service=service, status="rejected"))
    assert selectors.current_step(service) is None


def test_another_service_s_steps_are_not_in_the_way(service):
    StepFactory.create()
    assert selectors.current_step(service) is None


def test_a_rollback_goes_on_until_terraform_has_agreed_or_failed_to(service):
    service.epoch = 2
    for status, goes_on in [("planning", True), ("applying", True), ("done", False), ("failed", False)]:
        EmergencyRollback.objects.all().delete()
        rollback = pressed(service, epoch=2, status=status)
        assert (selectors.rollback_going_on(service) == rollback) is goes_on
    assert selectors.last_rollback(service) is not None


def test_an_earlier_rollback_does_not_go_on(service):
    pressed(service, epoch=1)
    service.epoch = 2
    assert selectors.rollback_going_on(service) is None


def test_what_is_due_is_what_may_move_by_itself(service):
    def due(**columns) -> bool:
        Step.objects.all().delete()
        StepFactory.create(release=release, **columns)
        return selectors.services_with_something_due() == [service.pk]

    release = ReleaseFactory.create(service=service)
    past, future = timezone.now() - timedelta(seconds=1), timezone.now() + timedelta(minutes=1)
    assert due(status=StepStatus.PENDING)
    assert due(status=StepStatus.WAITING, started_at=past)
    assert due(status=StepStatus.WAITING, automatic=True)
    assert not due(status=StepStatus.WAITING)
    assert due(status=StepStatus.BAKING, bake_until=past)
    assert not due(status=StepStatus.BAKING, bake_until=future)
    assert not due(status=StepStatus.FAILED)
    type(release).objects.update(status="rolled_back")
    assert not due(status=StepStatus.PENDING)


def test_a_service_with_several_steps_is_due_once(service):
    release = ReleaseFactory.create(service=service)
    for position in range(3):
        StepFactory.create(release=release, position=position)
    assert selectors.services_with_something_due() == [service.pk]


def test_what_needs_attention_comes_first_and_the_rest_by_name(db):
    names = ["quiet", "open", "split", "failed", "another"]
    services = {name: ServiceFactory.create(name=name) for name in names}
    ReleaseFactory.create(service=services["open"])
    Service.objects.filter(name="split").update(green_weight=40)
    failed = ReleaseFactory.create(service=services["failed"])
    StepFactory.create(release=failed, status=StepStatus.FAILED)
    ordered = selectors.by_need_of_attention(Service.objects.all())
    assert [service.name for service in ordered] == ["failed", "split", "open", "another", "quiet"]


def test_a_split_within_a_release_is_as_it_should_be(db):
    ServiceFactory.create(name="canary", activate_canary=True)
    service = ServiceFactory.create(name="release", green_weight=40)
    ReleaseFactory.create(service=service)
    ordered = selectors.by_need_of_attention(Service.objects.all())
    assert [one.name for one in ordered] == ["canary", "release"]


def test_the_newest_release_of_each_service_and_those_with_a_broken_glass(service):
    first, second, third, newest = (
        ReleaseFactory.create(service=service, number=number, status="promoted") for number in (1, 2, 10, 11)
    )
    other = ReleaseFactory.create()
    for release in (third, second, first, first):
        factories.put_in_place(service, release)
        step = factories.waiting_step(StepFactory.create(release=release, position=release.steps.count()))
        glass = factories.broken_glass(step, release.requested_by)
        if release == second:
            BrokenGlass.objects.filter(pk=glass.pk).update(reviewed_at=timezone.now())
    assert selectors.telling_releases([service, other.service, ServiceFactory.create()]) == {
        service.pk: (newest, [first, third]),
        other.service_id: (other, []),
    }


def test_releases_come_newest_first_page_by_page(service):
    for number in range(1, 6):
        ReleaseFactory.create(service=service, number=number, status="promoted")
    ReleaseFactory.create(number=9)

    def page(below: int | None) -> list[int]:
        return [one.number for one in selectors.list_releases(service, below=below, limit=2)]

    assert [page(None), page(4), page(2)] == [[5, 4], [3, 2], [1]]


def test_the_runs_of_a_step_are_newest_first_with_the_plans_that_were_replaced(scene):
    first = scene.canary.plan_run
    second = RunFactory.create(workspace="w", queued_at=timezone.now() + timedelta(seconds=1))
    StepRun.objects.create(step=scene.canary, run=second)
    assert selectors.runs_of_step(scene.canary) == [second, first]
    assert selectors.step_of_run(second) == scene.canary


def test_lines_are_counted_to_the_last_chunk(db):
    run = RunFactory.create()
    assert selectors.count_lines(run) == 0
    LogChunk.objects.create(run=run, first_line=0, lines=["a", "b"])
    LogChunk.objects.create(run=run, first_line=2, lines=["c"])
    assert selectors.count_lines(run) == 3


def test_a_release_s_events_are_its_own(scene):
    for release in (scene.release, ReleaseFactory.create()):
        subject = {"release": str(release.pk)}
        record(actor=OTTO, action="step.done", service_id=str(release.service_id), subject=subject)
    assert [event.subject["release"] for event in selectors.events_of_release(scene.release)] == [
        str(scene.release.pk)
    ]


# How many queries each may need, whatever there is.
READS = {
    "unfinished_steps": (1, lambda scene: list(selectors.unfinished_steps(scene.service))),
    "unfinished_by_service": (1, lambda scene: selectors.unfinished_by_service([scene.service])),
    "due": (1, lambda _: selectors.services_with_something_due()),
    "steps_of_release": (
        1,
        lambda scene: [one.plan_run for one in selectors.steps_of_release(scene.release)],
    ),
    "list_releases": (
        1,
        lambda scene: [
            one.requested_by.username for one in selectors.list_releases(scene.service, below=None, limit=50)
        ],
    ),
    "approvals": (
        1,
        lambda scene: [one.decided_by.username for one in selectors.approvals_of_release(scene.release)],
    ),
    "last_rollback": (1, lambda scene: selectors.last_rollback(scene.service)),
}


@pytest.mark.parametrize("read", READS)
def test_a_read_is_one_query_however_much_there_is(scene, read, django_assert_num_queries):
    for position in range(20, 30):
        factories.waiting_step(StepFactory.create(release=scene.release, position=position))
        ReleaseFactory.create(service=scene.service, status="promoted")
    for epoch in range(1, 4):
        pressed(scene.service, epoch=epoch)
    factories.approve(scene.canary, scene.manager)
    queries, act = READS[read]
    with django_assert_num_queries(queries):
        act(scene)
