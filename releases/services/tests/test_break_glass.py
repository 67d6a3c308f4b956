"""A gate that somebody opens alone: by whom, for what, until when it holds, and who looks at it afterwards."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.domain.approval.approval_policy import PlanIdentity
from releases.domain.lifecycle import StepStatus
from releases.models import BrokenGlass, Policy
from releases.permissions import grant
from releases.services.approval import break_glass
from releases.services.errors import ActRefused

TWO = {"canary": {"need": "as_planned", "slots": ["anybody", "anybody"]}}
WORDS = {"reason": "the shop is down", "typed": "shop"}


@pytest.fixture
def on_call(life):
    """Somebody who may see the service and is on call, and nothing else."""
    life.operator.groups.add(Group.objects.create(name="on-call"))
    return life.operator


@pytest.fixture
def at_the_gate(life, set_policy, on_call):
    """A release at its canary, which is started and waits for two people."""
    set_policy(gates=TWO, break_glass=["on-call"])
    life.release = life.request()
    life.start()
    life.start()
    return life


def break_it(life, **changes) -> BrokenGlass:
    given = {**life.shown(), **WORDS, "user": life.operator, **changes}
    break_glass.break_glass(**given)
    life.world.work()
    return BrokenGlass.objects.get()


def refused(act, *args, **given) -> str:
    with pytest.raises(ActRefused) as refusal:
        act(*args, **given)
    return refusal.value.code


def test_it_opens_the_gate_at_once_and_is_an_event_with_its_reason(at_the_gate):
    shown = at_the_gate.shown()["shown"]
    break_it(at_the_gate)
    assert at_the_gate.now().activate_canary
    event = AuditEvent.objects.get(action="gate.glass-broken")
    assert (event.actor_name, event.reason) == ("otto", "the shop is down")
    assert event.after["plan_sha256"] == shown.sha256
    assert event.after["missing"].startswith("0 of 2")
    assert event.after["glass"] == str(BrokenGlass.objects.get().pk)


def test_it_opens_the_next_gate_no_more_than_this_one(at_the_gate):
    break_it(at_the_gate)
    at_the_gate.go_to(50)
    at_the_gate.start()
    assert at_the_gate.step().transition == "promote"
    assert at_the_gate.step().status == StepStatus.WAITING


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reason": "  "}, "glass:no-reason"),
        ({"typed": "Shop"}, "glass:not-typed"),
        ({"shown": PlanIdentity(sha256="0" * 64, changes_digest="0" * 64)}, "approval:other-plan"),
    ],
)
def test_without_a_reason_the_name_or_the_present_plan_it_is_refused(at_the_gate, changes, code):
    assert refused(break_it, at_the_gate, **changes) == code
    assert not BrokenGlass.objects.exists()


def test_only_who_is_named_by_the_policy_breaks_it(at_the_gate):
    assert refused(break_it, at_the_gate, user=at_the_gate.manager) == "glass:not-yours"


def test_where_the_policy_names_nobody_nobody_does(at_the_gate, set_policy):
    set_policy(gates=TWO)
    assert refused(break_it, at_the_gate) == "glass:not-yours"


def test_whoever_made_the_policy_does_not_use_it_for_their_own_release(at_the_gate):
    at_the_gate.requester.groups.set(Group.objects.filter(name="on-call"))
    Policy.objects.update(changed_by=at_the_gate.requester)
    assert refused(break_it, at_the_gate, user=at_the_gate.requester) == "glass:own-policy"
    Policy.objects.update(changed_by=at_the_gate.manager)
    break_it(at_the_gate, user=at_the_gate.requester)
    assert at_the_gate.now().activate_canary


def test_an_open_gate_has_no_glass(at_the_gate, member):
    at_the_gate.approve()
    at_the_gate.approve(user=member("max"))
    assert refused(break_it, at_the_gate) in {"glass:open", "approval:other-plan"}


def test_a_freeze_holds_it_all_the_same(at_the_gate, set_policy):
    frozen = ["2020-01-01 00:00 - 2099-01-01 00:00 UTC: Migration"]
    set_policy(gates=TWO, break_glass=["on-call"], freezes=frozen)
    break_it(at_the_gate)
    assert not at_the_gate.now().activate_canary


def test_whoever_leaves_the_group_right_before_the_apply_stops_it(at_the_gate, on_call):
    def leaves(*_):
        on_call.groups.clear()
        return ()

    at_the_gate.world.differences = leaves
    applied = len(at_the_gate.world.applied)
    break_it(at_the_gate)
    assert len(at_the_gate.world.applied) == applied
    assert at_the_gate.step().status == StepStatus.WAITING


def test_it_is_reviewed_by_somebody_who_had_no_part_in_it_and_once(at_the_gate, member):
    broken = break_it(at_the_gate)
    ana = member("ana")
    given: dict[str, Any] = {"broken_id": broken.pk, "comment": "was needed"}
    assert refused(break_glass.review, **given, user=at_the_gate.operator) == "person:no-permission"
    assert refused(break_glass.review, **{**given, "comment": " "}, user=ana) == "glass:no-comment"
    break_glass.review(**given, user=ana)
    broken.refresh_from_db()
    assert (broken.reviewed_by, broken.review) == (ana, "was needed")
    event = AuditEvent.objects.get(action="gate.break-reviewed")
    assert (event.reason, event.after["glass"]) == ("was needed", str(broken.pk))
    assert refused(break_glass.review, **given, user=at_the_gate.manager) == "glass:reviewed"


@pytest.mark.parametrize("who", ["operator", "requester"])
def test_who_broke_it_or_asked_for_the_release_does_not_review_it(at_the_gate, who):
    broken, person = break_it(at_the_gate), getattr(at_the_gate, who)
    grant(person, at_the_gate.service, Permission.APPROVE)
    assert refused(break_glass.review, broken_id=broken.pk, comment="fine", user=person) == "glass:own"


def test_the_database_takes_no_review_by_who_broke_it(at_the_gate):
    broken = break_it(at_the_gate)
    with pytest.raises(IntegrityError, match="reviewed_by_somebody_else"), transaction.atomic():
        BrokenGlass.objects.filter(pk=broken.pk).update(reviewed_by=at_the_gate.operator)
