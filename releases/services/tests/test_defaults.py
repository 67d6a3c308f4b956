"""What releases begin with: changed at once, for releases to come, and never to what no release could begin with."""

from dataclasses import replace

import pytest

from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.domain.errors import InvalidCanary, InvalidRolloutPlan
from releases.domain.rollout_plan import Rotation
from releases.models import Release, Service, Step
from releases.permissions import NotAllowed
from releases.services.defaults import Defaults, change_defaults
from releases.services.provisioning.managed import ManagingRefused
from releases.services.requests import ReleaseRequest, request_release

WANTED = Defaults(
    weights=(5, 50),
    canary_first=True,
    canary_addresses=("203.0.113.7", "2001:DB8::7"),
    extra_gates={"shift-50"},
    automatic_steps={"rotation", "shift-5"},
    bake_seconds=60,
    bakes={"canary": 600},
    rotation=Rotation.COPY,
    settle_seconds=5,
    rollback_window_seconds=3600,
)


@pytest.fixture
def keeper(person):
    """Who looks after the service."""
    return person("kim", Permission.VIEW, Permission.MANAGE, Permission.REQUEST)


@pytest.fixture
def change(service, keeper):
    def change(user=None, **changed) -> bool:
        return change_defaults(service_id=service.pk, user=user or keeper, wanted=replace(WANTED, **changed))

    return change


def of(service: Service, *names: str) -> tuple[object, ...]:
    service.refresh_from_db()
    return tuple(getattr(service, name) for name in names)


def test_they_are_changed_at_once_with_an_event(service, change):
    assert change()
    assert of(service, "weights", "bake_seconds", "bakes") == ([5, 50], 60, {"canary": 600})
    assert of(service, "extra_gates", "automatic_steps") == (["shift-50"], ["rotation", "shift-5"])
    assert of(service, "settle_seconds", "rollback_window_seconds") == (5, 3600)
    event = AuditEvent.objects.get(action="service.defaults-changed")
    assert (event.before["bake_seconds"], event.after["bake_seconds"]) == (300, 60)
    assert not Step.objects.filter(transition="settings").exists()


def test_the_same_again_is_no_event(change):
    change()
    assert not change()
    assert AuditEvent.objects.filter(action="service.defaults-changed").count() == 1


def test_without_the_right_nothing_is_changed(change, operator):
    with pytest.raises(NotAllowed):
        change(operator)


def test_addresses_are_kept_in_their_usual_form(service, change):
    change()
    assert of(service, "canary_addresses") == (["203.0.113.7/32", "2001:db8::7/128"],)


def test_a_release_that_is_open_keeps_its_own_addresses(life, service, change):
    life.request()
    before = Release.objects.get().canary_addresses
    change(canary_addresses=("198.51.100.1",))
    assert Release.objects.get().canary_addresses == before == ["203.0.113.7/32"]
    assert of(service, "canary_addresses") == (["198.51.100.1/32"],)


def test_the_next_release_begins_with_them(world, service, change, keeper):
    change()
    service.refresh_from_db()
    wanted = ReleaseRequest(tag="v2", weights=service.weights, canary=service.canary_first)
    release = request_release(service_id=service.pk, user=keeper, wanted=wanted)
    assert release.canary_addresses == ["203.0.113.7/32", "2001:db8::7/128"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"canary_addresses": ("0.0.0.0/0",)}, "canary:everyone"),
        ({"canary_addresses": ("203.0.113.7", "203.0.113.0/24")}, "canary:twice"),
        ({"canary_addresses": tuple(f"203.0.113.{number}" for number in range(4))}, "canary:too-many"),
        ({"canary_addresses": ()}, "canary:no-addresses"),
    ],
)
def test_addresses_that_no_canary_can_have_are_refused(service, change, changed, code):
    with pytest.raises(InvalidCanary) as refused:
        change(**changed)
    assert refused.value.code == code
    assert of(service, "bake_seconds") == (300,)


def test_without_addresses_the_canary_may_be_for_a_header_or_left_out(service, change):
    assert change(canary_addresses=(), canary_first=False, bakes={})
    Service.objects.filter(pk=service.pk).update(canary_header_name="X-Canary", canary_header_value="x")
    assert change(canary_addresses=())


@pytest.mark.parametrize(
    "changed",
    [
        {"extra_gates": {"shift-10"}},
        {"automatic_steps": {"shift-10"}},
        {"bakes": {"shift-10": 5}},
        {"bakes": {"canary": 90_000}},
        {"canary_first": False},
        {"weights": (50, 5)},
        {"weights": ()},
    ],
)
def test_choices_for_steps_that_there_will_not_be_are_refused(service, change, changed):
    with pytest.raises(InvalidRolloutPlan):
        change(**changed)
    assert of(service, "bake_seconds") == (300,)


def test_how_it_rotates_is_a_choice_at_rest(service, change):
    assert change(rotation=Rotation.SWAP)
    assert of(service, "rotation") == ("swap",)


def test_how_it_rotates_stays_while_a_release_is_open_and_the_rest_may_change(life, service, change):
    life.request()
    with pytest.raises(ManagingRefused, match="A release is open, which rotates as it began"):
        change(rotation=Rotation.SWAP)
    assert change()
    assert of(service, "rotation", "bake_seconds") == ("copy", 60)


def test_how_it_rotates_stays_while_the_next_release_is_prepared(service, change):
    Step.objects.create(service=service, transition="rotate_stable", candidate_share=100)
    with pytest.raises(ManagingRefused, match="is being prepared in the present way"):
        change(rotation=Rotation.SWAP)


def test_they_can_be_changed_while_users_are_split(life, change):
    life.request()
    life.go_to(50)
    assert change()
