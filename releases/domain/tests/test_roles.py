"""What each role allows: the table is closed, and said here once more by hand."""

import pytest

from releases.domain.access.decisions import Permission, Person, has_permission
from releases.domain.access.roles import PERMISSIONS, Role, permissions_of

VIEW, REQUEST, APPROVE = Permission.VIEW, Permission.REQUEST, Permission.APPROVE
OPERATE, EMERGENCY, MANAGE, AUDIT = (
    Permission.OPERATE,
    Permission.EMERGENCY,
    Permission.MANAGE,
    Permission.AUDIT,
)
EXPECTED = {
    "viewer": {VIEW},
    "requester": {VIEW, REQUEST},
    "approver": {VIEW, APPROVE},
    "operator": {VIEW, OPERATE, EMERGENCY},
    "manager": {VIEW, REQUEST, APPROVE, EMERGENCY, MANAGE, AUDIT},
    "auditor": {VIEW, AUDIT},
    "admin": {VIEW, REQUEST, APPROVE, OPERATE, EMERGENCY, MANAGE, AUDIT},
}


def test_each_role_allows_what_the_table_says_and_a_new_one_has_to_be_said_here():
    assert {role.value: set(PERMISSIONS[role]) for role in Role} == EXPECTED


def test_several_roles_allow_what_any_of_them_allows():
    assert permissions_of([Role.REQUESTER, Role.APPROVER]) == {VIEW, REQUEST, APPROVE}
    assert permissions_of([]) == set()


@pytest.mark.parametrize("role", Role)
def test_nobody_may_do_more_than_look_at_a_removed_service(role):
    assert permissions_of([role], is_removed=True) == PERMISSIONS[role] & {VIEW, AUDIT}


@pytest.mark.parametrize("permission", Permission)
def test_who_lacks_a_permission_is_told_so_in_words(permission):
    nobody = Person(id="1", is_active=True, permissions=frozenset())
    answer = has_permission(nobody, permission)
    assert not answer
    assert answer.reason.startswith("You may not ")
