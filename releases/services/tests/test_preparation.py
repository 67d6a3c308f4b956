from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from releases import selectors
from releases.domain.access.decisions import Permission
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.domain.traffic import Color, Transition
from releases.models import Service, Step
from releases.permissions import NotAllowed
from releases.services import preparation
from releases.services.preparation import PreparationRefused
from releases.services.provisioning import managed, removals
from releases.services.provisioning.managed import ManagingRefused
from releases.services.requests import RequestRefused
from releases.services.tests.world import reference
from terraform_runner.errors import StateLocked, TerraformFailed
from terraform_runner.models import Run


@pytest.fixture(params=["copy", "swap"])
def promoted(life, request):
    """Users have v2 on green since a promotion, and the window is over."""
    Service.objects.update(rotation=request.param)
    life.request()
    life.go_to(100)
    Service.objects.update(rollback_window_seconds=0)
    return life


def prepare(life, **given) -> None:
    preparation.prepare(**{"service_id": life.service.pk, "user": life.operator, **given})
    life.world.work()


def promote(life, tag: str) -> None:
    """Bring a release to its end, wherever it has to begin."""
    release = life.request(tag)
    while selectors.unfinished_steps(life.service):
        life.go_on()
    release.refresh_from_db()
    assert release.status == ReleaseStatus.PROMOTED


def refused(life, **given) -> str:
    with pytest.raises(PreparationRefused) as refusal:
        prepare(life, **given)
    return refusal.value.code


def test_what_need_not_know_the_next_version_is_done_ahead(promoted):
    prepare(promoted)
    now = promoted.now()
    assert selectors.current_step(promoted.service) is None
    assert (now.candidate_share, now.version_of(now.stable).image) == (0, reference("v2"))
    release = promoted.request("v3")
    assert [step.transition for step in release.steps.order_by("position")][:2] == [
        Transition.ROTATE_CANDIDATE,
        Transition.CANARY,
    ]


def test_its_steps_belong_to_no_release_and_start_by_themselves(promoted):
    prepare(promoted)
    steps = Step.objects.filter(requested_by=promoted.operator, release=None)
    assert {step.status for step in steps} == {StepStatus.DONE}
    assert not any(step.gate for step in steps)
    event = AuditEvent.objects.get(action="service.preparing")
    assert (event.actor_name, event.after["steps"]) == ("otto", [step.transition for step in steps])


def test_the_safe_colour_is_kept_as_in_a_release(promoted):
    seen = []
    promoted.world.during_apply = lambda: seen.append(Service.objects.get().safe_color)
    copies = Service.objects.get().rotation == "copy"
    prepare(promoted)
    assert seen[0] == (Color.GREEN if copies else Color.BLUE)
    assert Service.objects.get().safe_color == promoted.now().stable


def test_within_the_window_it_takes_a_persons_word(promoted):
    Service.objects.update(rollback_window_seconds=86_400)
    applied = len(promoted.world.applied)
    assert refused(promoted) == "prepare:window"
    assert len(promoted.world.applied) == applied
    prepare(promoted, gives_up_old_version=True)
    assert promoted.now().candidate_share == 0
    assert AuditEvent.objects.get(action="service.preparing").after["gives_up_old_version"]


def test_a_refusal_says_which_version_is_kept_where_and_until_when(promoted):
    Service.objects.update(rollback_window_seconds=86_400)
    with pytest.raises(
        PreparationRefused, match=r"v1 is kept on blue until 20..-..-.. ..:.. UTC, to go back"
    ):
        prepare(promoted)


def test_only_an_operator_prepares(promoted):
    with pytest.raises(NotAllowed):
        prepare(promoted, user=promoted.requester)
    assert not Step.objects.filter(release=None, transition=Transition.SWAP_COLORS.value).exists()


def test_before_a_promotion_there_is_nothing_to_prepare(life):
    assert refused(life) == "prepare:nothing"


def test_while_it_goes_on_nothing_is_requested_nor_prepared_again(promoted):
    preparation.prepare(service_id=promoted.service.pk, user=promoted.operator)
    assert refused(promoted) == "act:preparing"
    promoted.world.plan_fails = StateLocked("locked", who="", since="", operation="")
    promoted.world.work()
    with pytest.raises(RequestRefused, match="is being prepared"):
        promoted.request("v3")


def test_after_one_that_failed_the_button_frees_the_service(promoted):
    def fail() -> None:
        raise StateLocked("locked", who="", since="", operation="")

    promoted.world.during_apply = fail
    prepare(promoted)
    assert promoted.step().status == StepStatus.FAILED
    safe = Service.objects.get().safe_color
    promoted.world.during_apply = lambda: None
    promoted.roll_back()
    promoted.world.work()
    assert selectors.current_step(promoted.service) is None
    assert promoted.now().weight_of(Color(safe)) == 100
    promoted.request("v3")


@pytest.fixture
def failed(promoted):
    """A preparation whose first part could not be planned."""
    promoted.world.plan_fails = StateLocked("locked", who="", since="", operation="")
    prepare(promoted)
    promoted.world.plan_fails = None
    assert promoted.step().status == StepStatus.FAILED
    return promoted


def test_one_that_failed_is_tried_again_to_its_end(failed):
    managed.retry(step_id=failed.step().pk, user=failed.operator)
    failed.world.work()
    assert selectors.current_step(failed.service) is None
    assert failed.now().candidate_share == 0
    assert AuditEvent.objects.get(action="step.retried").actor_name == "otto"


def test_one_that_failed_is_called_off_whole_and_a_release_begins_from_where_it_was(failed):
    before = failed.now()
    managed.cancel(step_id=failed.step().pk, user=failed.operator)
    failed.world.work()
    own = Step.objects.filter(requested_by=failed.operator, release=None)
    assert {step.status for step in own} == {StepStatus.ABANDONED}
    assert failed.now() == before
    promote(failed, "v3")
    assert failed.now().version_of(failed.now().candidate).image == reference("v3")


def test_after_its_first_part_the_rest_is_called_off_and_the_release_goes_on_from_there(promoted):
    def no_more() -> None:
        promoted.world.plan_fails = StateLocked("locked", who="", since="", operation="")

    Service.objects.update(rotation="copy")
    promoted.world.during_apply = no_more
    prepare(promoted)
    promoted.world.plan_fails, promoted.world.during_apply = None, lambda: None
    assert promoted.step().transition == Transition.ROTATE_TRAFFIC
    managed.cancel(step_id=promoted.step().pk, user=promoted.operator)
    promote(promoted, "v3")
    assert promoted.now().version_of(promoted.now().candidate).image == reference("v3")


def test_half_done_it_is_not_called_off(promoted):
    promoted.world.apply_fails = TerraformFailed("AccessDenied")
    prepare(promoted)
    with pytest.raises(ManagingRefused, match="try again, or roll back"):
        managed.cancel(step_id=promoted.step().pk, user=promoted.operator)
    promoted.world.apply_fails = None
    managed.retry(step_id=promoted.step().pk, user=promoted.operator)
    promoted.world.work()
    assert promoted.now().candidate_share == 0


def test_only_an_operator_tries_it_again_or_calls_it_off(failed):
    for act in (managed.retry, managed.cancel):
        with pytest.raises(NotAllowed, match="an operator does"):
            act(step_id=failed.step().pk, user=failed.manager)


def test_nothing_of_one_that_failed_is_left_when_the_service_is_removed(failed, person):
    Service.objects.update(rotation="copy")
    manages = person("maja", Permission.VIEW, Permission.MANAGE)
    removals.request_removal(
        service_id=failed.service.pk,
        user=manages,
        typed_name=failed.service.name,
        reason="gone",
        gives_up_requests=True,
    )
    left = selectors.unfinished_steps(failed.service)
    assert [step.transition for step in left] == [Transition.REMOVE]


def test_the_button_during_the_first_part_ends_it_and_leads_to_the_safe_colour(promoted):
    rollbacks = []
    promoted.world.during_apply = lambda: rollbacks.append(promoted.roll_back())
    prepare(promoted)
    promoted.world.during_apply = lambda: None
    promoted.world.work()
    assert promoted.now().weight_of(Color(rollbacks[0].safe_color)) == 100
    own = Step.objects.filter(requested_by=promoted.operator, release=None)
    assert {step.status for step in own} == {StepStatus.ABANDONED}
    assert selectors.current_step(promoted.service) is None


def test_a_swap_that_was_prepared_still_keeps_the_old_version_until_it_is_overwritten(promoted):
    Service.objects.update(rollback_window_seconds=86_400)
    prepare(promoted, gives_up_old_version=True)
    swaps = Service.objects.get().rotation == "swap"
    assert preparation.window_of(Service.objects.get()).is_open is swaps


def test_a_prepared_release_is_promoted_as_any_other(promoted):
    prepare(promoted)
    release = promoted.request("v3")
    promoted.go_to(100)
    release.refresh_from_db()
    assert release.status == ReleaseStatus.PROMOTED


def test_how_long_the_next_one_takes_is_known_from_the_applies_before(promoted):
    began = timezone.now()
    for run in Run.objects.all():
        Run.objects.filter(pk=run.pk).update(started_at=began, ended_at=began + timedelta(seconds=15))
    steps, told = preparation.next_rotation(Service.objects.get())
    assert (told.applies, told.seconds, told.measured) == (len(steps), 30 * len(steps), True)


def test_how_long_is_one_question_to_the_database(promoted, django_assert_num_queries):
    service = Service.objects.get()
    with django_assert_num_queries(1):
        preparation.next_rotation(service)
