"""Who somebody is to a service, and the answer to “may they?”."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Permission(StrEnum):
    """What a person may have on a service, each by itself."""

    VIEW = "view"
    REQUEST = "request"
    APPROVE = "approve"
    OPERATE = "operate"
    EMERGENCY = "emergency"
    MANAGE = "manage"
    AUDIT = "audit"


@dataclass(frozen=True, kw_only=True)
class Person:
    """An account as it is now: read it again before each use, for roles are taken away (FAULTS P8, P18).

    `groups` are the names of those that it is in, `roles` the ones that it has on this service, wherever they hold.
    """

    id: str
    is_active: bool
    permissions: frozenset[Permission] = frozenset()
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    is_service_account: bool = False


@dataclass(frozen=True)
class Allowed:
    """Yes; true, so that a page can ask `{% if decision %}`."""

    def __bool__(self) -> Literal[True]:
        return True


@dataclass(frozen=True)
class Refused:
    """No, and why: `code` is stable, `reason` is shown beside the disabled button. False."""

    code: str
    reason: str

    def __bool__(self) -> Literal[False]:
        return False


Decision = Allowed | Refused

_MISSING = {
    Permission.VIEW: "You may not see this service.",
    Permission.REQUEST: "You may not request releases of this service.",
    Permission.APPROVE: "You may not approve for this service.",
    Permission.OPERATE: "You may not run steps of this service: an operator does.",
    Permission.EMERGENCY: "You may not roll this service back.",
    Permission.MANAGE: "You may not change this service's settings, or remove it.",
    Permission.AUDIT: "You may not see the trail of this service: a manager or an auditor does.",
}


def has_permission(person: Person, permission: Permission) -> Decision:
    """Whether an active person has this permission now."""
    if not person.is_active:
        return Refused("person:inactive", "This account is no longer active.")
    if permission not in person.permissions:
        return Refused("person:no-permission", _MISSING[permission])
    return Allowed()
