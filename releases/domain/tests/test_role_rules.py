"""Who may give and take which role."""

import pytest

from releases.domain.access.decisions import Refused
from releases.domain.access.role_rules import (
    GIVEN_BY_MANAGERS,
    Giver,
    may_add_member,
    may_administer,
    may_give,
    may_take,
)
from releases.domain.access.roles import Role

ADMINISTRATOR = Giver(is_active=True, administers=True)
MANAGER = Giver(is_active=True, administers=False, manages=True)
NOBODY = Giver(is_active=True, administers=False)
INACTIVE = Giver(is_active=False, administers=True, manages=True)


@pytest.mark.parametrize("role", Role)
def test_an_administrator_gives_and_takes_every_role_and_a_manager_those_below_their_own(role):
    for may in (lambda giver: may_give(giver, role, to_oneself=False), lambda giver: may_take(giver, role)):
        assert may(ADMINISTRATOR)
        assert bool(may(MANAGER)) == (role in GIVEN_BY_MANAGERS)
        assert not may(NOBODY)
        assert not may(INACTIVE)


@pytest.mark.parametrize("giver", [ADMINISTRATOR, MANAGER])
def test_nobody_gives_themselves_anything(giver):
    answer = may_give(giver, Role.VIEWER, to_oneself=True)
    assert isinstance(answer, Refused)
    assert answer.code == "person:oneself"


def test_somebody_stays_an_administrator():
    answer = may_take(ADMINISTRATOR, Role.ADMIN, leaves_administrator=False)
    assert isinstance(answer, Refused)
    assert answer.code == "role:last-administrator"


def test_people_and_groups_are_an_administrators_and_nobody_adds_themselves():
    assert may_administer(ADMINISTRATOR)
    assert may_add_member(ADMINISTRATOR, oneself=False)
    assert not may_add_member(ADMINISTRATOR, oneself=True)
    for giver in (MANAGER, NOBODY, INACTIVE):
        assert not may_administer(giver)
        assert not may_add_member(giver, oneself=False)
