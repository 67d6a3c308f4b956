import pytest
from django.contrib.auth.models import Group

from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.domain.approval.gate_policy import Gate, InvalidPolicy
from releases.domain.approval.slots import Slot
from releases.models import Policy, Service
from releases.permissions import NotAllowed, grant, may_set_defaults
from releases.services.approval import policy_changes
from releases.services.approval.policies import policy_of
from releases.services.provisioning.managed import ManagingRefused

TWO = {"gates": {"canary": {"need": "as_planned", "slots": ["anybody", "anybody"]}}}


@pytest.fixture
def change(service, keeper):
    def change(wanted, user=keeper) -> bool:
        return policy_changes.change_policy(service_id=service.pk, user=user, wanted=wanted)

    return change


@pytest.fixture
def change_defaults(service, keeper):
    def change(wanted, user=keeper) -> bool:
        return policy_changes.change_defaults(environment="production", user=user, wanted=wanted)

    return change


def test_a_change_is_an_event_with_what_was_before_and_after(service, change):
    assert change({"approval_seconds": 60})
    assert change({"approval_seconds": 120})
    event = AuditEvent.objects.filter(action="policy.changed").latest("id")
    assert (event.actor_name, event.before, event.after) == (
        "kim",
        {"approval_seconds": 60},
        {"approval_seconds": 120},
    )
    assert event.subject == {"service": "shop"}


def test_what_is_not_different_is_no_event(change):
    assert not change({"approval_seconds": 0})
    assert not AuditEvent.objects.filter(action="policy.changed").exists()


def test_a_service_follows_its_environment_but_for_what_is_its_own(service, change, change_defaults):
    change_defaults({"approval_seconds": 60, "wait_seconds": 60})
    change({"approval_seconds": 90, "wait_seconds": 60})
    change_defaults({"approval_seconds": 30, "wait_seconds": 30})
    policy = policy_of(service)
    assert (policy.approval_seconds, policy.wait_seconds) == (90, 30)


def test_another_environment_s_policy_is_not_this_one_s(service, change_defaults):
    change_defaults({"ticket": True})
    other = Service.objects.create(name="other", family="other", environment="staging")
    assert not policy_of(other).ticket


def test_it_counts_at_once_for_what_waits(life, change):
    life.request()
    life.go_on()
    life.start()
    change(TWO)
    life.approve()
    assert not life.now().activate_canary
    change({})
    life.world.work()
    assert life.now().activate_canary


def test_an_environment_s_counts_at_once_for_what_waits_too(life, change_defaults):
    life.request()
    life.go_on()
    life.start()
    change_defaults(TWO)
    life.approve()
    assert life.step().wanted == [""]
    change_defaults({})
    life.world.work()
    assert life.now().activate_canary


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"gates": {"shift": {"need": "always", "slots": ["Nobodies"]}}}, "shift"),
        ({"freezes": ["sometimes"]}, "freezes"),
        ({"approval_seconds": 10**9}, "approval_seconds"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field_and_changes_nothing(change, change_defaults, wanted, field):
    for refused in (change, change_defaults):
        with pytest.raises(InvalidPolicy) as refusal:
            refused(wanted)
        assert refusal.value.field == field
    assert not Policy.objects.exclude(content={}).exists()


def test_a_group_that_is_there_may_be_named(service, change):
    Group.objects.create(name="SRE")
    change({"gates": {"shift": {"need": "always", "slots": ["SRE"]}}})
    assert policy_of(service).rule(Gate.SHIFT).slots == (Slot(groups=frozenset({"SRE"})),)


def test_who_manages_nothing_changes_nothing(change, change_defaults, manager):
    for refused in (change, change_defaults):
        with pytest.raises(NotAllowed):
            refused({"four_eyes": False}, user=manager)


def test_an_environment_s_needs_the_right_on_all_of_its_services(service, keeper, change_defaults):
    assert may_set_defaults(keeper, "production")
    other = Service.objects.create(name="other", family="other", environment="production")
    with pytest.raises(NotAllowed):
        change_defaults({"four_eyes": False})
    grant(keeper, other, Permission.MANAGE)
    assert change_defaults({"four_eyes": False})


def test_an_environment_without_services_is_nobody_s(keeper):
    assert not may_set_defaults(keeper, "nowhere")


def test_nobody_changes_it_in_the_middle_of_what_they_asked_for(life, keeper, change, change_defaults):
    grant(keeper, life.service, Permission.REQUEST)
    life.requester = keeper
    life.request()
    for refused in (change, change_defaults):
        with pytest.raises(ManagingRefused, match="somebody else changes its policy"):
            refused({"four_eyes": False})
