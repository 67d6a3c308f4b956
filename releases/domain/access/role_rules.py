"""Who may give and take roles: never to oneself, and no more than one has to give."""

from dataclasses import dataclass

from releases.domain.access.decisions import Allowed, Decision, Refused
from releases.domain.access.roles import Role

GIVEN_BY_MANAGERS = frozenset({Role.VIEWER, Role.REQUESTER, Role.APPROVER, Role.OPERATOR})
"""What a service's manager gives and takes on that service; the rest is an administrator's."""

GIVEN_TO_PROGRAMS = frozenset({Role.VIEWER, Role.REQUESTER, Role.OPERATOR})
"""What the account of a program may be: it neither approves nor manages."""

_INACTIVE = Refused("person:inactive", "This account is no longer active.")
_ONESELF = Refused(
    "person:oneself", "Nobody gives a role to themselves, or to a group that they are in: ask somebody else."
)
_PROGRAM = Refused(
    "person:program",
    "A program is in no group, and no more than a viewer, requester or operator: it approves nothing.",
)
LAST_ADMINISTRATOR = Refused(
    "role:last-administrator",
    "Nobody would be an administrator any more: make somebody else an administrator first.",
)


@dataclass(frozen=True, kw_only=True)
class Giver:
    """Somebody who changes roles at one place: whether they administer it, and whether they manage that service."""

    is_active: bool
    administers: bool
    manages: bool = False


def may_give(giver: Giver, role: Role, *, to_oneself: bool, to_program: bool = False) -> Decision:
    """Whether this role may be given here; `to_oneself` also by a group that the giver is in."""
    permitted = _may_change(giver, role)
    if permitted and to_program and role not in GIVEN_TO_PROGRAMS:
        return _PROGRAM
    return _ONESELF if permitted and to_oneself else permitted


def may_take(giver: Giver, role: Role, *, leaves_administrator: bool = True) -> Decision:
    """Whether this role may be taken away here. `leaves_administrator`: somebody is one everywhere afterwards."""
    permitted = _may_change(giver, role)
    return permitted if not permitted or leaves_administrator else LAST_ADMINISTRATOR


def may_administer(giver: Giver) -> Decision:
    """Whether this person may change who there is and who is in which group."""
    if not giver.is_active:
        return _INACTIVE
    if not giver.administers:
        return Refused("person:no-permission", "You may not change people and groups: an administrator does.")
    return Allowed()


def may_add_member(giver: Giver, *, oneself: bool, is_program: bool = False) -> Decision:
    """Whether somebody may be added to a group, which gives them all of its roles."""
    permitted = may_administer(giver)
    if permitted and is_program:
        return _PROGRAM
    return _ONESELF if permitted and oneself else permitted


def _may_change(giver: Giver, role: Role) -> Decision:
    if not giver.is_active:
        return _INACTIVE
    if giver.administers or (giver.manages and role in GIVEN_BY_MANAGERS):
        return Allowed()
    if giver.manages:
        return Refused("person:no-permission", f"Only an administrator gives and takes the role {role}.")
    return Refused(
        "person:no-permission",
        "You may not change who has which role: a manager of the service or an administrator does.",
    )
