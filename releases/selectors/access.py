"""Reading who had access, and since when: from the trail, and what is so now."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from audit.models import AuditEvent
from releases.domain.access.access_history import Ended, Fact, Held, Member, Told
from releases.models import RoleGrant

_BEGINS = {
    "role.given": True,
    "role.taken": False,
    "group.member-added": True,
    "group.member-removed": False,
    "person.deactivated": True,
    "person.reactivated": False,
}


def access_told() -> Iterator[Told]:
    """All that the trail tells of roles, groups and accounts, in the order of time; one query."""
    events = AuditEvent.objects.filter(action__in=_BEGINS).order_by("pk")
    for at, action, subject in events.values_list("at", "action", "subject").iterator():
        yield Told(at, _BEGINS[action], _fact(action.partition(".")[0], subject))


def present_access() -> Iterator[tuple[Fact, datetime | None]]:
    """What is so now, with since when if that is known, also where no event tells of it; three queries."""
    grants = RoleGrant.objects.values_list(
        "role", "user__username", "group__name", "service__name", "environment", "given_at"
    )
    for role, person, group, service, environment, given_at in grants:
        yield Held(role, person or "", group or "", service or "", environment), given_at
    for group, person in User.groups.through.objects.values_list("group__name", "user__username"):
        yield Member(group, person), None
    for person in User.objects.filter(is_active=False).values_list("username", flat=True):
        yield Ended(person), None


def _fact(about: str, subject: Mapping[str, Any]) -> Fact:
    names = {
        name: str(subject.get(name, "")) for name in ("role", "person", "group", "service", "environment")
    }
    if about == "role":
        return Held(**names)
    person = names["person"]
    return Member(names["group"], person) if about == "group" else Ended(person)
