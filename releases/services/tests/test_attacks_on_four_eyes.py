"""Four eyes under attack, by every road: the release's page, the inbox and its list, the API, and the worker itself.

Each try is refused with its reason, leaves an event, and changes nothing. What got past all of that somehow, as if it
had been written into the database, is found by the worker right before the apply (FAULTS P6-P8, P18, P20, P23, P25).
"""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from releases.domain.access.decisions import Permission
from releases.domain.access.roles import Role
from releases.models import Approval, Policy, RoleGrant, ServiceAccount
from releases.permissions import grant
from releases.services import canary_addresses, release_acts, shares
from releases.services.access import service_accounts
from releases.services.approval import approvals
from releases.services.tests.roads import (
    api_address,
    body_of,
    by_page,
    form_of,
    found_by_the_worker,
    give,
    refusals,
    refused_by_every_road,
    signed_in,
)
from releases.tests.api import secret_of
from releases.tests.conftest import text_of

OWN = "You asked for this yourself"
CHANGED = "You changed this release last"
PROGRAM = "A service account approves nothing"

# What makes somebody an approver who must not be one; each brings a release to a gate, started, and gives the attacker.


def to_the_canary(life) -> None:
    life.release = life.request()
    life.start()
    life.start()


def with_a_second_role(life, _) -> User:
    to_the_canary(life)
    give(life.requester, life.service, Role.REQUESTER, Role.APPROVER)
    return life.requester


def as_administrator_of_everything(life, _) -> User:
    to_the_canary(life)
    give(life.requester, None, Role.ADMIN)
    return life.requester


def by_a_group_that_a_friend_added_them_to(life, _) -> User:
    to_the_canary(life)
    group = Group.objects.create(name="approvers")
    give(group, life.service, Role.APPROVER)
    life.requester.groups.add(group)
    return life.requester


def by_a_program_of_theirs(life, keeper) -> User:
    life.requester = service_accounts.make(life.service, name="ci", roles=[Role.REQUESTER], by=keeper).user
    to_the_canary(life)
    return keeper


def by_a_program_whose_token_they_made(life, keeper) -> User:
    by_a_program_of_theirs(life, keeper)
    second = User.objects.create_user("second")
    give(second, life.service, Role.MANAGER)
    account = ServiceAccount.objects.get()
    service_accounts.make_token(account, name="once", days=1, by=second)
    account.user.tokens.update(revoked_at=account.made_at)
    return second


def as_the_program_itself(life, keeper) -> User:
    to_the_canary(life)
    account = service_accounts.make(life.service, name="ci", roles=[], by=keeper)
    give(account.user, life.service, Role.ADMIN)
    return account.user


def by_leaving_a_step_out(life, _) -> User:
    life.release = life.request()
    life.start()
    give(life.operator, life.service, Role.OPERATOR, Role.APPROVER)
    release_acts.skip(step_id=life.step().pk, user=life.operator)
    life.world.work()
    life.start()
    return life.operator


def by_setting_the_share(life, _) -> User:
    life.release = life.request()
    life.go_to(10)
    give(life.operator, life.service, Role.OPERATOR, Role.APPROVER)
    shares.set_share(release_id=life.release.pk, share=40, user=life.operator)
    life.world.work()
    return life.operator


def by_a_program_that_set_the_share(life, keeper) -> User:
    account = service_accounts.make(life.service, name="ci", roles=[Role.OPERATOR], by=keeper)
    life.release = life.request()
    life.go_to(10)
    shares.set_share(release_id=life.release.pk, share=40, user=account.user)
    life.world.work()
    return keeper


IMPOSTORS = [
    (with_a_second_role, OWN),
    (as_administrator_of_everything, OWN),
    (by_a_group_that_a_friend_added_them_to, OWN),
    (by_a_program_of_theirs, OWN),
    (by_a_program_whose_token_they_made, OWN),
    (as_the_program_itself, PROGRAM),
    (by_leaving_a_step_out, CHANGED),
    (by_setting_the_share, OWN),
    (by_a_program_that_set_the_share, OWN),
]
EVERY_IMPOSTOR = pytest.mark.parametrize(
    ("impostor", "why"), IMPOSTORS, ids=[one.__name__ for one, _ in IMPOSTORS]
)


@EVERY_IMPOSTOR
def test_nobody_approves_what_they_asked_for_by_any_road(life, keeper, impostor, why):
    attacker = impostor(life, keeper)
    page = text_of(signed_in(attacker).get(f"/services/shop/releases/{life.release.number}/"))
    assert 'id="approve"' not in page
    assert why in page
    refused_by_every_road(life, attacker, why)
    life.approve()


@EVERY_IMPOSTOR
def test_an_approval_of_theirs_that_got_in_somehow_is_found_by_the_worker(life, keeper, impostor, why):
    attacker = impostor(life, keeper)
    approvals.approve(**life.shown(), user=life.manager)
    given = Approval.objects.filter(step=life.step())
    found_by_the_worker(life, why, lambda: given.update(decided_by=attacker))


@pytest.fixture
def at_the_gate(life):
    """A release at its canary, which is started and waits for one approval."""
    to_the_canary(life)
    return life


def test_by_their_token_in_the_browser_of_a_manager(at_the_gate):
    """Each request is made by one person: the API knows no cookie, the pages know no token."""
    life, attacker = at_the_gate, at_the_gate.requester
    give(attacker, life.service, Role.REQUESTER, Role.APPROVER)
    browser, form = signed_in(life.manager), form_of(life)
    mixed = browser.post(
        f"/api/v1{api_address(life)}",
        body_of(form),
        "application/json",
        headers={"Authorization": f"Bearer {secret_of(attacker)}"},
    )
    assert mixed.status_code == 403
    assert browser.post(f"/api/v1{api_address(life)}", body_of(form), "application/json").status_code == 401
    token_of_a_manager = {"Authorization": f"Bearer {secret_of(life.manager)}"}
    page = f"/services/shop/steps/{life.step().pk}/approve/"
    assert signed_in(attacker).post(page, form, headers=token_of_a_manager).status_code == 403
    assert Client().post(page, form, headers=token_of_a_manager).status_code == 302
    assert not Approval.objects.filter(step=life.step()).exists()


def test_by_changing_what_they_have_approved(life):
    """The same changes are planned again: of somebody else the approval would count, of who did that it does not."""
    life.release = life.request()
    life.go_to(50)
    give(life.operator, life.service, Role.OPERATOR, Role.APPROVER)
    assert by_page(life, life.operator, form_of(life)).status_code == 302
    given = Approval.objects.latest("decided_at")
    canary_addresses.add_address(release_id=life.release.pk, address="203.0.113.8", user=life.operator)
    life.world.work()
    assert life.step().plan_run.changes_digest == given.changes_digest
    life.start()
    assert life.now().candidate_share == 50
    refused_by_every_road(life, life.operator, CHANGED)
    life.approve()
    assert life.now().candidate_share == 100


def test_by_making_themselves_an_approver(at_the_gate):
    """A manager who asked for it gives the role to nobody who is themselves; and what a friend gives is of no use."""
    life, attacker = at_the_gate, at_the_gate.requester
    give(attacker, life.service, Role.REQUESTER, Role.MANAGER)
    attacker.groups.add(Group.objects.create(name="ours"))
    given, browser, form = RoleGrant.objects.count(), signed_in(attacker), form_of(life)
    for kind, name in (("person", attacker.username), ("group", "ours")):
        wanted = {"kind": kind, "name": name, "role": "approver", "where": "service"}
        answer = browser.post("/services/shop/people/", wanted)
        assert answer.status_code == 403
        assert "Nobody gives a role to themselves" in refusals()[-1]
    assert RoleGrant.objects.count() == given
    give(Group.objects.get(name="ours"), life.service, Role.APPROVER)
    refused_by_every_road(life, attacker, OWN, form)


def test_by_changing_the_policy_meanwhile(at_the_gate):
    life = at_the_gate
    give(life.requester, life.service, Role.REQUESTER, Role.MANAGER)
    browser = signed_in(life.requester)
    wanted = {"approval_minutes": "0", "wait_minutes": "0", "after_wait": "hold"}
    wanted |= {f"need_{gate}": "never" for gate in ("request", "canary", "shift", "promote")}
    wanted |= {f"people_{gate}": "anybody" for gate in ("request", "canary", "shift", "promote")}
    wanted |= {f"people_{gate}": "anybody" for gate in ("settings", "remove")} | {
        "need_request": "as_planned"
    }
    for address in ("/services/shop/policy/", "/environments/production/policy/"):
        assert browser.post(address, wanted).status_code == 403, address
        assert "somebody else changes its policy" in refusals()[-1]
    assert not Policy.objects.exclude(content={}).exists()
    refused_by_every_road(life, life.requester, OWN)


def test_by_an_exception_that_is_over_when_it_is_applied(at_the_gate, set_policy):
    set_policy(four_eyes=False)
    grant(at_the_gate.requester, at_the_gate.service, Permission.APPROVE)
    approvals.approve(**at_the_gate.shown(), user=at_the_gate.requester)
    found_by_the_worker(at_the_gate, OWN, lambda: set_policy(four_eyes=True))


SRE = {"canary": {"need": "as_planned", "slots": ["SRE"]}}


def test_by_who_is_in_none_of_the_groups(at_the_gate, set_policy, member):
    set_policy(gates=SRE)
    member("sam", "SRE")
    refused_by_every_road(at_the_gate, at_the_gate.manager, "you are in none of these groups")


def test_by_who_has_decided_at_another_gate_where_each_counts_at_one(life, set_policy):
    set_policy(one_gate_each=True)
    life.release = life.request(extra_gates=["shift-10"])
    life.go_on()
    life.go_on()
    life.start()
    refused_by_every_road(life, life.manager, "You approved at another gate")
