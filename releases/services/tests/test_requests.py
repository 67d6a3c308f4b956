import pytest

from audit.models import AuditEvent
from releases.domain.errors import InvalidRolloutPlan
from releases.domain.traffic import Transition
from releases.models import Release
from releases.permissions import NotAllowed
from releases.services import requests
from releases.services.requests import ReleaseRequest, RequestRefused
from releases.services.tests.world import reference
from terraform_runner.errors import StateLocked


def refused(act, **given):
    with pytest.raises(RequestRefused) as refusal:
        act(**given)
    return refusal.value.code


def test_a_release_deploys_the_digest_that_the_tag_had_when_it_was_requested(life):
    release = life.request("v2", reason="Fix VAT")
    assert (release.image, release.tag, release.reason) == (reference("v2"), "v2", "Fix VAT")
    assert (release.from_image, release.from_tag) == (reference("v1"), "v1")
    event = AuditEvent.objects.get(action="release.requested")
    assert (event.actor_name, event.reason) == ("rita", "Fix VAT")
    assert event.after["image"] == reference("v2")


def test_releases_are_numbered_for_each_service(life):
    assert life.request().number == 1
    life.roll_back()
    life.world.work()
    assert life.request("v3").number == 2


def test_the_first_step_with_users_and_the_promotion_have_gates(life):
    release = life.request(weights=[25], extra_gates=["shift-25"])
    gates = {(step.transition, step.gate) for step in release.steps.all()}
    assert gates == {
        (Transition.ROTATE_CANDIDATE, False),
        (Transition.CANARY, True),
        (Transition.SHIFT, True),
        (Transition.PROMOTE, True),
    }


def test_without_a_canary_the_first_share_has_the_gate(life):
    release = life.request(canary=False)
    assert [step.gate for step in release.steps.order_by("position")] == [False, True, False, True]


def test_weights_that_are_none_are_refused_and_nothing_is_kept(life):
    with pytest.raises(InvalidRolloutPlan):
        life.request(weights=[50, 10])
    assert not Release.objects.exists()


def test_without_the_right_nothing_is_requested(life):
    with pytest.raises(NotAllowed):
        requests.request_release(
            service_id=life.service.pk, user=life.operator, wanted=ReleaseRequest(tag="v2", weights=[50])
        )
    assert not Release.objects.exists()


def test_a_second_release_waits_for_the_first_to_end(life):
    life.request()
    assert refused(life.request, tag="v3") == "act:release-open"


def test_the_version_that_all_users_have_is_not_requested_again(life):
    assert refused(life.request, tag="v1") == "request:same"
    life.request("v2")
    life.go_to(100)
    assert refused(life.request, tag="v2") == "request:same"


def test_nothing_is_requested_until_terraform_agrees_with_a_rollback(life):
    life.request()
    life.go_to(10)
    life.world.plan_fails = StateLocked("locked", who="", since="", operation="")
    life.roll_back()
    life.world.work()
    assert refused(life.request, tag="v3") == "act:converging"
    life.world.plan_fails = None
    life.roll_back()
    life.world.work()
    assert life.request("v3").number == 2
