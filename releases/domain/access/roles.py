"""Roles: what people are given together. A closed table, from which the rights of everybody are made."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from releases.domain.access.decisions import Permission


class Role(StrEnum):
    """What a person or a group may be, on one service, in one environment, or everywhere."""

    VIEWER = "viewer"
    REQUESTER = "requester"
    APPROVER = "approver"
    OPERATOR = "operator"
    MANAGER = "manager"
    AUDITOR = "auditor"
    ADMIN = "admin"


PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.VIEW}),
    Role.REQUESTER: frozenset({Permission.VIEW, Permission.REQUEST}),
    Role.APPROVER: frozenset({Permission.VIEW, Permission.APPROVE}),
    Role.OPERATOR: frozenset({Permission.VIEW, Permission.OPERATE, Permission.EMERGENCY}),
    Role.MANAGER: frozenset(Permission) - {Permission.OPERATE},
    Role.AUDITOR: frozenset({Permission.VIEW, Permission.AUDIT}),
    Role.ADMIN: frozenset(Permission),
}
"""What each role allows. Who has several roles may do what any of them allows."""

_PAST_ONLY = frozenset({Permission.VIEW, Permission.AUDIT})


def permissions_of(roles: Iterable[Role], *, is_removed: bool = False) -> frozenset[Permission]:
    """What these roles allow together; on a removed service, which is only history, no more than to look."""
    allowed = frozenset[Permission]().union(*(PERMISSIONS[role] for role in roles))
    return allowed & _PAST_ONLY if is_removed else allowed


def roles_with(permission: Permission) -> frozenset[Role]:
    """The roles that allow this."""
    return frozenset(role for role, allowed in PERMISSIONS.items() if permission in allowed)
