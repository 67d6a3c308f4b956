"""Removing a group that nothing names any more, so that a later one of its name inherits nothing."""

from collections.abc import Iterator

from django.contrib.auth.models import Group, User

from audit import events
from releases.domain.access.decisions import Allowed, Decision, Refused
from releases.domain.approval.gate_policy import from_columns
from releases.domain.visible import visible
from releases.models import Policy
from releases.services.access.people import may_administer
from releases.services.access.roles import RoleRefused, keeping_an_administrator, require
from releases.services.lifecycle import person

_MOST_NAMED = 3


def may_be_removed(group: Group) -> Decision:
    """Whether nothing holds a group any more; asked once more when it is removed. A constant number of queries."""
    holding = list(_holding(group))
    if not holding:
        return Allowed()
    return Refused("group:in-use", f"The group {visible(group.name)} is in use: {'; '.join(holding)}.")


def remove_group(group: Group, *, by: User) -> None:
    """Remove it; one that is gone already is no error. Raises ``NotAllowed``, and ``RoleRefused`` while it is used."""
    with keeping_an_administrator():
        require(may_administer(by))
        # Whoever writes a policy holds the groups that it names: from here on it is not among them, or is seen.
        found = Group.objects.select_for_update().filter(pk=group.pk).first()
        if found is None:
            return
        answer = may_be_removed(found)
        if isinstance(answer, Refused):
            raise RoleRefused(answer.code, answer.reason)
        found.delete()
        events.record(actor=person(by), action="group.removed", subject={"group": found.name})


def _holding(group: Group) -> Iterator[str]:
    if members := group.user_set.count():
        yield f"{members} {'person is' if members == 1 else 'people are'} in it, take them out first"
    if roles := [f"{one.role} {one.place}" for one in group.role_grants.select_related("service")]:
        yield f"it is {_some(roles)}, take that away first on the page People of a service"
    if policies := [_whose(policy) for policy in _policies() if group.name in _names(policy)]:
        yield f"the policy of {_some(policies)} names it, write somebody else there first"


def _policies() -> list[Policy]:
    in_force = Policy.objects.filter(service__removed_at=None).select_related("service")
    return list(in_force.order_by("environment", "service__name"))


def _names(policy: Policy) -> set[str]:
    kept = from_columns(policy.content)
    slots = [*kept.break_glass, *(slot for rule in kept.gates.values() for slot in rule.slots)]
    return {name for slot in slots for name in slot.groups}


def _whose(policy: Policy) -> str:
    return policy.service.name if policy.service else f"every service in {policy.environment}"


def _some(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
