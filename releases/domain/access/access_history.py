"""Who could approve at an earlier time, from what the trail tells of roles, groups and accounts."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from releases.domain.access.decisions import Permission
from releases.domain.access.roles import roles_with


@dataclass(frozen=True)
class Held:
    """A role of a person, or of a group, and where it holds: on a service, in an environment, or else everywhere."""

    role: str
    person: str = ""
    group: str = ""
    service: str = ""
    environment: str = ""


@dataclass(frozen=True)
class Member:
    """That a person is in a group."""

    group: str
    person: str


@dataclass(frozen=True)
class Ended:
    """That a person's account is deactivated."""

    person: str


Fact = Held | Member | Ended


class Told(NamedTuple):
    """An event: since when something is so, or is so no more."""

    at: datetime
    begins: bool
    fact: Fact


class Could(NamedTuple):
    """Somebody who could approve, by which role and, where it was not their own, of which group."""

    person: str
    role: str
    group: str
    service: str
    environment: str

    @property
    def place(self) -> str:
        """Where they could, in words."""
        if self.service:
            return f"on {self.service}"
        return f"in {self.environment}" if self.environment else "everywhere"


def facts_at(
    moment: datetime, told: Iterable[Told], present: Iterable[tuple[Fact, datetime | None]]
) -> set[Fact]:
    """What was so at a moment.

    ``told`` is all that the trail tells, in the order of time, and ``present`` what is so now, with since when where
    that is known. The last event before the moment decides; where there is none, the first after it, until which it was
    the other way; and where the trail tells nothing, the present.
    """
    was: dict[Fact, bool] = {}
    for event in told:
        if event.at < moment:
            was[event.fact] = event.begins
        else:
            was.setdefault(event.fact, not event.begins)
    for fact, since in present:
        was.setdefault(fact, since is None or since < moment)
    return {fact for fact, is_so in was.items() if is_so}


def who_could_approve(facts: Collection[Fact]) -> list[Could]:
    """The people who could approve where these are so, by name."""
    approving = roles_with(Permission.APPROVE)
    ended = {fact.person for fact in facts if isinstance(fact, Ended)}
    members: dict[str, set[str]] = defaultdict(set)
    for fact in facts:
        if isinstance(fact, Member):
            members[fact.group].add(fact.person)
    return sorted(
        Could(person, held.role, held.group, held.service, held.environment)
        for held in facts
        if isinstance(held, Held) and held.role in approving
        for person in (members[held.group] if held.group else {held.person}) - ended
    )
