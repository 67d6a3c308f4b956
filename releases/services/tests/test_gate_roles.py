"""A gate that asks for a role: who has it there, who gets it in between, and who loses it (FAULTS P7, P18, P24)."""

from functools import partial

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.domain.access.roles import Role
from releases.domain.lifecycle import StepStatus
from releases.models import Approval, BrokenGlass, RoleGrant, Step
from releases.permissions import NotAllowed, services_with
from releases.selectors import inbox as inbox_selectors
from releases.services.access import people, roles
from releases.services.access.roles import EVERYWHERE, Place, record_given
from releases.services.approval import approvals, break_glass, policy_changes
from releases.services.approval.gates import StepGate
from releases.services.errors import ActRefused
from releases.services.execution import recovery
from releases.tests.factories import TESTS

A_MANAGER_TOO = {"canary": {"need": "as_planned", "slots": ["anybody", "the role manager"]}}


@pytest.fixture
def at_the_gate(life, set_policy):
    """A release at its canary, which is started and waits for two people, one of them a manager."""
    set_policy(gates=A_MANAGER_TOO)
    life.release = life.request()
    life.start()
    life.start()
    return life


@pytest.fixture
def with_role(life, member):
    """Somebody with a role: on the service, or where it is said."""

    def make(name: str, role: Role = Role.MANAGER, place: Place | None = None):
        user = member(name)
        record_given(role, user, place or Place(service=life.service), actor=TESTS)
        return user

    return make


@pytest.fixture
def admin(member):
    user = member("ada")
    record_given(Role.ADMIN, user, EVERYWHERE, actor=TESTS)
    return user


def refused(act, **given) -> str:
    with pytest.raises((ActRefused, NotAllowed)) as refusal:
        act(**given)
    return refusal.value.code


def words(life) -> str:
    return StepGate(life.service, life.step()).words


def inbox(user) -> list[Step]:
    return list(inbox_selectors.steps_to_decide(user, services=services_with(user, Permission.APPROVE)))


@pytest.mark.parametrize("where", ["service", "environment", "everywhere", "group"])
def test_who_has_the_role_fills_its_place_wherever_that_holds(at_the_gate, member, with_role, where):
    places = {
        "service": Place(service=at_the_gate.service),
        "environment": Place(environment="production"),
        "everywhere": EVERYWHERE,
    }
    max_ = with_role("max", place=places[where]) if where in places else member("max", "leads")
    if where == "group":
        record_given(Role.MANAGER, Group.objects.get(name="leads"), EVERYWHERE, actor=TESTS)
    at_the_gate.approve()
    assert words(at_the_gate) == "1 of 2: somebody of the role manager is missing (@max)"
    at_the_gate.approve(user=max_)
    assert at_the_gate.now().activate_canary
    assert Approval.objects.get(decided_by=max_).role.startswith("the role manager")


def test_the_role_elsewhere_or_a_group_of_its_name_is_none(at_the_gate, member, with_role):
    elsewhere = with_role("eve", place=Place(environment="staging"))
    named = member("nan", "manager", "the role manager")
    at_the_gate.approve()
    for user in (elsewhere, named):
        assert refused(at_the_gate.approve, user=user) == "approval:no-place"
    assert at_the_gate.step().status == StepStatus.WAITING


def test_it_is_in_the_inbox_of_those_with_the_role_when_only_they_are_missing(at_the_gate, member, with_role):
    max_, ivo = with_role("max"), member("ivo")
    operator = with_role("otis", Role.OPERATOR)
    elsewhere = with_role("eve", place=Place(environment="staging"))
    at_the_gate.approve()
    assert at_the_gate.step().wanted == ["the role manager"]
    assert inbox(max_) == [at_the_gate.step()]
    assert inbox(ivo) == inbox(operator) == inbox(elsewhere) == []


def test_one_with_the_role_and_a_group_counts_once_and_moves_to_where_nobody_else_can_stand(
    at_the_gate, member, with_role, set_policy
):
    slots = ["SRE or the role manager", "the role manager"]
    set_policy(gates={"canary": {"need": "as_planned", "slots": slots}})
    sam = member("sam", "SRE")
    both = with_role("max")
    both.groups.add(Group.objects.get(name="SRE"))
    at_the_gate.approve(user=both)
    assert refused(at_the_gate.approve, user=both) == "approval:yours"
    assert at_the_gate.step().status == StepStatus.WAITING
    at_the_gate.approve(user=sam)
    assert at_the_gate.now().activate_canary


def test_nobody_gives_themselves_the_role_or_joins_its_group(at_the_gate, member, admin):
    managers = Group.objects.create(name="leads")
    record_given(Role.MANAGER, managers, EVERYWHERE, actor=TESTS)
    place = Place(service=at_the_gate.service)
    give = partial(roles.give, Role.MANAGER, admin, place, giver=admin)
    assert refused(give) == refused(partial(people.add_member, managers, admin, by=admin)) == "person:oneself"
    at_the_gate.approve()
    assert refused(at_the_gate.approve, user=admin) == "approval:no-place"


def test_who_asked_for_it_does_not_approve_by_a_role_that_others_gave_them_in_between(at_the_gate, admin):
    place = Place(service=at_the_gate.service)
    roles.give(Role.MANAGER, at_the_gate.requester, place, giver=admin)
    assert refused(at_the_gate.approve, user=at_the_gate.requester) == "approval:own-release"


def test_a_role_that_somebody_else_was_given_in_between_counts_and_its_event_is_in_the_trail(
    at_the_gate, member, admin
):
    ivo = member("ivo")
    at_the_gate.approve()
    assert refused(at_the_gate.approve, user=ivo) == "approval:no-place"
    roles.give(Role.MANAGER, ivo, Place(service=at_the_gate.service), giver=admin)
    at_the_gate.approve(user=ivo)
    assert at_the_gate.now().activate_canary
    assert AuditEvent.objects.filter(action="role.given", subject__person="ivo", actor_name="ada").exists()


def test_who_loses_the_role_right_before_the_apply_stops_it(at_the_gate, with_role, admin):
    at_the_gate.approve(user=with_role("max"))

    def loses_it(*_):
        for grant in RoleGrant.objects.filter(user__username="max"):
            roles.take(grant.pk, taker=admin)
        return ()

    at_the_gate.world.differences = loses_it
    applied = len(at_the_gate.world.applied)
    at_the_gate.approve()
    assert len(at_the_gate.world.applied) == applied
    event = AuditEvent.objects.filter(action="step.planned-again").latest("id")
    assert "somebody of the role manager is missing" in event.reason


@pytest.mark.parametrize("how", ["taken", "deactivated"])
def test_the_others_are_asked_again_soon_after_an_approver_lost_the_role(
    at_the_gate, member, with_role, admin, set_policy, how
):
    member("sam", "SRE")
    set_policy(gates={"canary": {"need": "as_planned", "slots": ["SRE", "the role manager"]}})
    max_, leo = with_role("max"), with_role("leo")
    at_the_gate.approve(user=max_)
    assert at_the_gate.step().wanted == ["SRE"]
    assert inbox(leo) == []
    if how == "taken":
        roles.take(RoleGrant.objects.get(user=max_).pk, taker=admin)
    else:
        people.deactivate(max_, by=admin)
    step = at_the_gate.step()
    assert step.look_again_at is not None
    Step.objects.filter(pk=step.pk).update(look_again_at=timezone.now())
    recovery.sweep()
    assert at_the_gate.step().wanted == ["SRE", "the role manager"]
    assert inbox(leo) == [at_the_gate.step()]


def test_a_role_may_break_the_glass_for_as_long_as_somebody_has_it(at_the_gate, with_role, set_policy):
    set_policy(gates=A_MANAGER_TOO, break_glass=["the role operator"])
    asked = {**at_the_gate.shown(), "reason": "the shop is down", "typed": "shop"}
    assert refused(break_glass.break_glass, **asked, user=with_role("max")) == "glass:not-yours"
    break_glass.break_glass(**asked, user=with_role("otis", Role.OPERATOR))
    RoleGrant.objects.filter(user__username="otis").delete()
    applied = len(at_the_gate.world.applied)
    at_the_gate.world.work()
    assert BrokenGlass.objects.exists()
    assert len(at_the_gate.world.applied) == applied


def test_a_policy_names_roles_and_the_event_has_them(service, keeper):
    wanted = {"gates": A_MANAGER_TOO, "break_glass": ["the role admin"]}
    policy_changes.change_policy(service_id=service.pk, user=keeper, wanted=wanted)
    after = AuditEvent.objects.get(action="policy.changed").after
    assert after == wanted


def test_a_withdrawn_approval_of_a_role_leaves_its_place_empty(at_the_gate, with_role):
    max_ = with_role("max")
    at_the_gate.approve(user=max_)
    approvals.withdraw(step_id=at_the_gate.step().pk, user=max_)
    assert words(at_the_gate).startswith("0 of 2: an approver and somebody of the role manager are missing")
