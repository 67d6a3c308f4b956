"""Four eyes, attacked by two at the same moment, with real threads and connections, over pages and the API."""

import pytest
from django.contrib.auth.models import Group, User
from django.db import connections

from releases.domain.access.roles import Role
from releases.domain.lifecycle import StepStatus
from releases.models import Approval, RoleGrant
from releases.services.access import roles
from releases.services.approval import approvals
from releases.services.execution import runs
from releases.services.tests.roads import ROADS, by_api, by_page, form_of, give, signed_in
from releases.services.tests.test_races import _messages, at_once
from terraform_runner.domain.runs import RunStatus
from terraform_runner.models import Run

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["_messages"]


@pytest.fixture(autouse=True)
def _no_connection_left():
    yield
    connections.close_all()


@pytest.fixture
def at_the_gate(life):
    """A release at its canary, which is started and waits for one approval."""
    life.release = life.request()
    life.start()
    life.start()
    return life


def test_who_is_made_an_approver_while_they_press_has_asked_for_it_all_the_same(at_the_gate):
    life, form = at_the_gate, form_of(at_the_gate)
    group = Group.objects.create(name="approvers")
    give(group, life.service, Role.APPROVER)
    answers: list[int] = []

    def befriend() -> None:
        group.user_set.add(life.requester)
        give(life.requester, life.service, Role.REQUESTER, Role.APPROVER)

    tries = [lambda road=road: answers.append(road(life, life.requester, form).status_code) for road in ROADS]
    assert at_once(befriend, *tries) == [""] * (1 + len(ROADS))
    assert answers == [403] * len(ROADS)
    assert not Approval.objects.exists()


def test_of_one_s_own_approval_and_one_s_own_change_nothing_is_applied_that_nobody_else_has_seen(at_the_gate):
    life = at_the_gate
    life.approve()
    give(life.operator, life.service, Role.OPERATOR, Role.APPROVER)
    shift = life.step()
    assert (shift.transition, shift.gate) == ("shift", False)
    life.go_to(50)
    life.start()
    form, applied, browser = form_of(life), len(life.world.applied), signed_in(life.operator)
    share = f"/services/shop/releases/{life.release.number}/share/"
    at_once(
        lambda: by_page(life, life.operator, form),
        lambda: browser.post(share, {"share": "70"}),
    )
    life.world.work()
    went_on = [one["green_weight"] for one in life.world.applied[applied:]]
    assert 70 not in went_on
    assert went_on in ([], [100])
    if went_on:
        assert life.release.steps.get(transition="promote").approvals.get().decided_by == life.operator


def test_a_role_that_is_taken_while_the_worker_begins_is_before_or_after_it(at_the_gate):
    life, sam = at_the_gate, User.objects.create_user("sam")
    give(sam, life.service, Role.APPROVER)
    give(life.manager, None, Role.ADMIN)
    approvals.approve(**life.shown(), user=sam)
    run, applied = Run.objects.get(status=RunStatus.QUEUED), len(life.world.applied)
    held = RoleGrant.objects.get(user=sam).pk
    assert at_once(
        lambda: roles.take(held, taker=life.manager), lambda: runs.execute(run.pk, worker="w")
    ) == ["", ""]
    life.world.work()
    went_on = len(life.world.applied) - applied
    canary = life.release.steps.get(transition="canary")
    assert (went_on, canary.status) in {(1, StepStatus.DONE), (0, StepStatus.WAITING)}


def test_an_account_that_is_closed_while_it_approves_by_the_api_lets_nothing_be_applied(at_the_gate):
    life, sam = at_the_gate, User.objects.create_user("sam")
    give(sam, life.service, Role.APPROVER)
    form, applied = form_of(life), len(life.world.applied)
    answers: list[int] = []
    at_once(
        lambda: answers.append(by_api(life, sam, form).status_code),
        lambda: User.objects.filter(pk=sam.pk).update(is_active=False),
    )
    assert answers[0] in {200, 401, 403}
    life.world.work()
    assert len(life.world.applied) == applied
    assert Approval.objects.count() == (answers[0] == 200)
