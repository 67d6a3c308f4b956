"""Whoever approved and is an approver no more when it is applied: the worker finds it, and no road is left to them."""

import pytest
from django.contrib.auth.models import Group, User

from releases.domain.access.roles import Role
from releases.models import Approval, RoleGrant
from releases.services.access import people, roles
from releases.services.tests.roads import ROADS, by_api, form_of, found_by_the_worker, give

SRE = {"canary": {"need": "as_planned", "slots": ["SRE"]}}


def deactivated(life, sam: User) -> None:
    people.deactivate(sam, by=life.manager)


def without_the_role(life, sam: User) -> None:
    roles.take(RoleGrant.objects.get(user=sam).pk, taker=life.manager)


def out_of_the_group(life, sam: User) -> None:
    Group.objects.get(name="SRE").user_set.remove(sam)


def deleted_group(life, sam: User) -> None:
    Group.objects.get(name="SRE").delete()


LOSSES = [
    (deactivated, "may not approve here any more", [302, 302, 302, 401]),
    (without_the_role, "may not approve here any more", [404] * 4),
    (out_of_the_group, "somebody of SRE is missing", [409, 409, 302, 409]),
    (deleted_group, "somebody of SRE is missing", [409, 409, 302, 409]),
]


@pytest.mark.parametrize(("loss", "why", "expected"), LOSSES, ids=[one.__name__ for one, *_ in LOSSES])
def test_whoever_is_an_approver_no_more_has_approved_nothing_that_is_applied(
    life, set_policy, loss, why, expected
):
    sam = User.objects.create_user("sam")
    set_policy(gates=SRE)
    life.release = life.request()
    life.start()
    life.start()
    give(sam, life.service, Role.APPROVER)
    give(life.manager, None, Role.ADMIN)
    sam.groups.add(Group.objects.create(name="SRE"))
    assert by_api(life, sam, form_of(life)).status_code == 200
    found_by_the_worker(life, why, lambda: loss(life, sam))
    answers = [road(life, sam, form_of(life)).status_code for road in ROADS]
    assert answers == expected
    assert Approval.objects.filter(step=life.step()).count() == 1
