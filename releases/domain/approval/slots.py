"""The places of a gate: whom of the approvers each of them is for."""

from dataclasses import dataclass

from releases.domain.access.decisions import Person
from releases.domain.access.roles import Role
from releases.domain.errors import DomainError

MOST_NAMES = 10
LONGEST_NAME = 150
_ROLE = "the role "
_ANYBODY = "anybody"


class InvalidSlot(DomainError):
    """A place that cannot be."""

    def __init__(self, message: str) -> None:
        super().__init__("policy:invalid-slot", message)


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A place for one approver: of one of these groups or roles, or whoever may approve where there are none."""

    groups: frozenset[str] = frozenset()
    roles: frozenset[Role] = frozenset()

    def may_be_filled_by(self, person: Person) -> bool:
        """Whether this person is one of those whom it asks for."""
        return self == ANYBODY or bool(self.groups & person.groups or self.roles & person.roles)

    @property
    def kinds(self) -> tuple["Slot", ...]:
        """Each of its groups and roles as a place of its own; none where it is for anybody."""
        groups = (Slot(groups=frozenset({name})) for name in sorted(self.groups))
        return *groups, *(Slot(roles=frozenset({role})) for role in sorted(self.roles))

    def __str__(self) -> str:
        return " or ".join([*sorted(self.groups), *map(role_words, sorted(self.roles))]) or _ANYBODY


ANYBODY = Slot()


def role_words(role: str) -> str:
    """A role as a policy has it: "the role manager". What begins so is never taken for a group's name."""
    return f"{_ROLE}{role}"


def parse_slot(line: str) -> Slot:
    """A place as it is written: "anybody", or groups and roles with "or" between, as in "SRE or the role manager".

    Raises ``InvalidSlot``.
    """
    names = [name.strip() for name in line.split(" or ")]
    if names == [_ANYBODY]:
        return ANYBODY
    if len(names) > MOST_NAMES or not all(0 < len(name) <= LONGEST_NAME for name in names):
        raise InvalidSlot(f"Write “anybody”, or at most {MOST_NAMES} groups or roles with “or” between.")
    roles = {name for name in names if name.casefold().startswith(_ROLE)}
    return Slot(groups=frozenset(names) - roles, roles=frozenset(map(_role, roles)))


def _role(name: str) -> Role:
    role = name[len(_ROLE) :].strip().lower()
    if role not in set(Role):
        raise InvalidSlot(f"There is no role “{role[:60]}”: the roles are {', '.join(Role)}.")
    return Role(role)
