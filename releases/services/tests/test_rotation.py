from datetime import timedelta

import pytest
from django.utils import timezone

from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.domain.traffic import Color, Transition
from releases.models import Service
from releases.services.tests.world import reference
from terraform_runner.errors import StateLocked


@pytest.fixture
def swapping(life):
    """Users have v2 on green since a promotion; the next release rotates by swap."""
    Service.objects.update(rotation="swap")
    life.request()
    life.go_to(100)
    return life


def stop_after_the_swap(life) -> None:
    """The colours have swapped; the idle one still settles, so that nothing follows."""
    Service.objects.update(settle_seconds=3600)
    life.start()
    assert (life.step().transition, life.step().status) == (Transition.ROTATE_CANDIDATE, StepStatus.PENDING)


def go_to_canary(life) -> None:
    life.start()
    while life.step().transition != Transition.CANARY:
        life.world.work()


def test_a_release_by_swap_moves_nobody_until_its_canary(swapping):
    release = swapping.request("v3")
    assert [step.transition for step in release.steps.order_by("position")][:3] == [
        Transition.SWAP_COLORS,
        Transition.ROTATE_CANDIDATE,
        Transition.CANARY,
    ]
    go_to_canary(swapping)
    rotated = [
        (one["active_color"], one["green_weight"], one["blue_image"], one["green_image"])
        for one in swapping.world.applied[-2:]
    ]
    assert rotated == [
        ("green", 100, reference("v1"), reference("v2")),
        ("green", 100, reference("v3"), reference("v2")),
    ]


def test_shares_of_a_release_with_swapped_colours_are_the_candidates(swapping):
    release = swapping.request("v3")
    go_to_canary(swapping)
    for share in (0, 10, 50, 100):
        swapping.go_on()
        assert swapping.now().candidate_share == share
        assert swapping.world.green_weight() == 100 - share
    release.refresh_from_db()
    assert release.status == ReleaseStatus.PROMOTED
    assert swapping.now().version_of(swapping.now().candidate).image == reference("v3")


def test_the_next_release_swaps_back(swapping):
    swapping.request("v3")
    go_to_canary(swapping)
    swapping.go_to(100)
    swapping.request("v4")
    go_to_canary(swapping)
    now = swapping.now()
    assert (now.stable, now.blue.image, now.green.image) == (Color.BLUE, reference("v3"), reference("v4"))
    assert now.candidate_share == 0


def test_a_rollback_leads_to_the_old_version_until_the_swap_is_verified_and_then_to_the_new_one(swapping):
    swapping.request("v3")
    seen = []
    swapping.world.during_apply = lambda: seen.append(Service.objects.get().safe_color)
    swapping.start()
    swapping.world.work()
    assert seen == [Color.BLUE, Color.GREEN]
    assert Service.objects.get().safe_color == Color.GREEN


def test_a_swap_that_fails_leaves_the_old_version_as_the_safe_one(swapping):
    release = swapping.request("v3")
    swapping.world.apply_fails = StateLocked("locked", who="x", since="", operation="")
    swapping.start()
    assert swapping.step().status == StepStatus.FAILED
    swapping.world.apply_fails = None
    swapping.roll_back()
    swapping.world.work()
    release.refresh_from_db()
    assert release.status == ReleaseStatus.ROLLED_BACK
    assert (swapping.now().stable, swapping.world.green_weight()) == (Color.BLUE, 0)


def test_the_button_during_the_swap_brings_everyone_back_and_keeps_the_roles(swapping):
    swapping.request("v3")
    swapping.world.during_apply = swapping.roll_back
    swapping.start()
    swapping.world.during_apply = lambda: None
    swapping.world.work()
    now = swapping.now()
    assert (now.stable, now.candidate_share, swapping.world.green_weight()) == (Color.BLUE, 0, 0)
    assert swapping.world.weights["arn:rule/canary"] == {"arn:group/blue": 0, "arn:group/green": 100}
    assert (now.blue.image, now.green.image) == (reference("v1"), reference("v2"))


def test_the_button_after_the_swap_keeps_everyone_on_the_promoted_version(swapping):
    release = swapping.request("v3")
    stop_after_the_swap(swapping)
    swapping.roll_back()
    swapping.world.work()
    release.refresh_from_db()
    assert release.status == ReleaseStatus.ROLLED_BACK
    assert swapping.now().stable is Color.GREEN
    assert swapping.world.green_weight() == 100


@pytest.mark.parametrize("share", [0, 10, 50])
def test_the_button_with_swapped_colours_leads_to_green_from_any_share(swapping, share):
    swapping.request("v3")
    go_to_canary(swapping)
    swapping.go_on()
    swapping.go_to(share)
    rollback = swapping.roll_back()
    assert rollback.safe_color == Color.GREEN
    assert swapping.world.green_weight() == 100
    swapping.world.work()
    assert swapping.now().candidate_share == 0
    assert swapping.world.sources["arn:rule/canary"] == {"192.0.2.1/32"}


def test_the_idle_function_settles_before_the_second_part_of_a_swap(swapping):
    swapping.request("v3")
    stop_after_the_swap(swapping)
    Service.objects.update(blue_traffic_ended_at=timezone.now() - timedelta(seconds=3601))
    swapping.world.work()
    swapping.world.work()
    assert swapping.now().blue.image == reference("v3")


def test_since_when_the_old_version_is_kept_is_known_until_it_is_overwritten(swapping):
    promoted_at = Service.objects.get().promoted_at
    assert promoted_at is not None
    assert timezone.now() - promoted_at < timedelta(minutes=1)
    swapping.request("v3")
    stop_after_the_swap(swapping)
    assert Service.objects.get().promoted_at is not None
    Service.objects.update(settle_seconds=0)
    swapping.world.work()
    swapping.world.work()
    assert Service.objects.get().promoted_at is None


def test_after_a_rollback_there_is_no_older_version_to_keep(swapping):
    swapping.roll_back()
    assert Service.objects.get().promoted_at is None
