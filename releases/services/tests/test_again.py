import pytest

from audit.models import AuditEvent
from aws import images
from aws.errors import AwsError
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.domain.traffic import Color, Transition, Version
from releases.models import Release, Service
from releases.permissions import NotAllowed
from releases.services import again
from releases.services.requests import RequestRefused
from releases.services.tests.world import reference
from releases.services.versions.configurations import WantedConfiguration


@pytest.fixture(params=["copy", "swap"])
def rotating(life, request):
    Service.objects.update(rotation=request.param)
    return life


def release_again(life, number: int, **given) -> Release:
    life.say_why()
    given = {"service_id": life.service.pk, "user": life.requester, "number": number, **given}
    release = again.request_again(**given)
    life.world.work()
    return release


def release_to_everyone(life, tag: str) -> Release:
    release = life.request(tag)
    life.go_to(0)
    while not life.now().activate_canary:
        life.go_on()
    life.go_to(100)
    return release


def refused(life, number: int, **given) -> str:
    with pytest.raises(RequestRefused) as refusal:
        release_again(life, number, **given)
    return refusal.value.code


def transitions(release: Release) -> list[str]:
    return [step.transition for step in release.steps.order_by("position")]


def users_have(life) -> str:
    now = life.now()
    return now.version_of(now.serving).image


def test_the_old_version_that_is_still_in_place_comes_back_without_changing_a_function(rotating):
    release_to_everyone(rotating, "v2")
    release = release_again(rotating, again.SET_UP)
    assert transitions(release) == [Transition.SWAP_COLORS, Transition.PROMOTE]
    versions = {color: len(function.versions) for color, function in rotating.world.functions.items()}
    rotating.start()
    rotating.go_on()
    release.refresh_from_db()
    assert release.status == ReleaseStatus.PROMOTED
    assert users_have(rotating) == reference("v1")
    assert versions == {color: len(function.versions) for color, function in rotating.world.functions.items()}


def test_what_came_back_is_rolled_back_to_what_it_replaced(rotating):
    release_to_everyone(rotating, "v2")
    release = release_again(rotating, again.SET_UP)
    rotating.start()
    rotating.go_on()
    rotating.roll_back()
    rotating.world.work()
    release.refresh_from_db()
    assert release.status == ReleaseStatus.ROLLED_BACK
    assert users_have(rotating) == reference("v2")


def test_a_version_that_was_rolled_back_and_is_still_in_place_needs_only_its_promotion(rotating):
    first = rotating.request("v2")
    rotating.go_to(10)
    rotating.roll_back()
    rotating.world.work()
    release = release_again(rotating, first.number)
    assert transitions(release) == [Transition.PROMOTE]
    assert (release.tag, release.image, release.number) == ("v2", reference("v2"), 2)
    rotating.go_on()
    assert users_have(rotating) == reference("v2")


def test_a_version_that_is_on_neither_colour_is_put_in_place_first(rotating):
    first = release_to_everyone(rotating, "v2")
    release_to_everyone(rotating, "v3")
    release_to_everyone(rotating, "v4")
    release = release_again(rotating, first.number)
    assert transitions(release)[-2:] == [Transition.ROTATE_CANDIDATE, Transition.PROMOTE]
    rotating.start()
    rotating.go_on()
    assert users_have(rotating) == reference("v2")


def test_there_is_one_gate_and_it_is_the_promotions(rotating):
    release_to_everyone(rotating, "v2")
    release = release_again(rotating, again.SET_UP)
    assert [step.gate for step in release.steps.order_by("position")] == [False, True]
    rotating.start()
    rotating.start()
    assert rotating.step().status == StepStatus.WAITING
    assert users_have(rotating) == reference("v2")


def test_its_configuration_comes_with_it(life):
    small, big = (WantedConfiguration(settings={"memory_size": size}) for size in (256, 512))
    first = life.request("v2", configuration=small)
    life.go_to(100)
    life.request("v3", configuration=big)
    life.start()
    life.go_to(10)
    life.go_to(100)
    release = release_again(life, first.number)
    assert release.configuration["memory_size"] == 256
    life.start()
    life.go_on()
    now = life.now()
    assert now.version_of(now.serving) == Version(image=reference("v2"), configuration=first.configuration)


def test_what_everyone_has_is_not_released_again(life):
    first = release_to_everyone(life, "v2")
    assert refused(life, first.number) == "request:same"


def test_an_image_that_is_gone_is_said_so(life, monkeypatch):
    release_to_everyone(life, "v2")

    def missing(access, wanted):
        raise AwsError("aws:image-missing", "not there")

    monkeypatch.setattr(images, "resolve_image", missing)
    with pytest.raises(RequestRefused, match="The image of v1 is no longer in the repository: push it again"):
        release_again(life, again.SET_UP)
    assert Release.objects.count() == 1


def test_an_aws_that_does_not_answer_is_not_taken_for_an_image_that_is_gone(life, monkeypatch):
    release_to_everyone(life, "v2")

    def silent(access, wanted):
        raise AwsError("aws:unreachable", "no answer")

    monkeypatch.setattr(images, "resolve_image", silent)
    with pytest.raises(AwsError, match="no answer"):
        release_again(life, again.SET_UP)


def test_only_a_requester_releases_again_and_not_while_a_release_is_open(life):
    release_to_everyone(life, "v2")
    with pytest.raises(NotAllowed):
        release_again(life, again.SET_UP, user=life.operator)
    life.request("v3")
    assert refused(life, again.SET_UP) == "act:release-open"


def test_within_the_window_only_what_overwrites_the_old_version_takes_a_word(rotating):
    first = release_to_everyone(rotating, "v2")
    release_to_everyone(rotating, "v3")
    Service.objects.update(rollback_window_seconds=86_400)
    assert refused(rotating, again.SET_UP) == "request:window"
    assert transitions(release_again(rotating, first.number)) == [Transition.SWAP_COLORS, Transition.PROMOTE]


def test_an_unknown_number_is_no_version(life):
    with pytest.raises(Release.DoesNotExist):
        release_again(life, 99)


def test_the_trail_says_who_asked_for_it_and_by_which_steps(life):
    release_to_everyone(life, "v2")
    release_again(life, again.SET_UP, reason="v2 is slow")
    event = AuditEvent.objects.filter(action="release.requested").latest("id")
    assert (event.actor_name, event.reason) == ("rita", "v2 is slow")
    assert event.after["steps"] == [["rotate_swap", False, 0, False], ["promote", True, 0, False]]


def test_the_button_in_the_middle_of_it_keeps_what_users_had(rotating):
    release_to_everyone(rotating, "v2")
    release_again(rotating, again.SET_UP)
    rotating.start()
    assert rotating.step().transition == Transition.PROMOTE
    rollback = rotating.roll_back()
    rotating.world.work()
    assert rollback.safe_color == Color.GREEN
    assert users_have(rotating) == reference("v2")
