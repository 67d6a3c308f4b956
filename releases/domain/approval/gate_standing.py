"""How a gate stands: who fills which of its places, who else could, and why somebody cannot."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from releases.domain.access.decisions import Allowed, Decision, Person, Refused
from releases.domain.approval.matching import match
from releases.domain.approval.slots import ANYBODY, Slot

_OWN_RELEASE = Refused("approval:own-release", "You asked for this yourself: somebody else has to decide.")
_CHANGED_IT = Refused("approval:changed-it", "You changed this release last: somebody else has to decide.")
_NO_PERSON = Refused(
    "approval:service-account", "A service account approves nothing: a person has to decide."
)
_OTHER_GATE = Refused(
    "approval:other-gate", "You approved at another gate of this release: here somebody else has to."
)


@dataclass(frozen=True, kw_only=True)
class WhoCounts:
    """Whose approval counts at a gate, by ids: nobody's who asked for it or changed it last, where four eyes are
    wanted (invariant 6); nobody's who approved at another gate, where each person counts at one."""

    four_eyes: bool = True
    requester_ids: frozenset[str] = frozenset()
    changer_ids: frozenset[str] = frozenset()
    elsewhere_ids: frozenset[str] = frozenset()

    def check(self, person: Person) -> Decision:
        """Whether this person's approval counts here, apart from their right to approve at all."""
        if person.is_service_account:
            return _NO_PERSON
        if self.four_eyes and person.id in self.requester_ids:
            return _OWN_RELEASE
        if self.four_eyes and person.id in self.changer_ids:
            return _CHANGED_IT
        return _OTHER_GATE if person.id in self.elsewhere_ids else Allowed()


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The places of a gate, and by its number who fills each; both are in the order of the policy."""

    slots: tuple[Slot, ...]
    filled: Mapping[int, str]

    @property
    def is_open(self) -> bool:
        """Whether nobody is missing."""
        return len(self.filled) == len(self.slots)

    @property
    def missing(self) -> tuple[Slot, ...]:
        """The places that are left."""
        return tuple(slot for place, slot in enumerate(self.slots) if place not in self.filled)


def standing(slots: Sequence[Slot], approvers: Sequence[Person]) -> Standing:
    """Match those whose approval counts, the first one first, to the places of a gate."""
    return Standing(slots=tuple(slots), filled=match({one.id: _places(slots, one) for one in approvers}))


def who_could(slots: Sequence[Slot], approvers: Sequence[Person], others: Iterable[Person]) -> list[Person]:
    """Those of the others by whose approval one more place would be filled, whoever had to move for it."""
    present = len(standing(slots, approvers).filled)
    return [one for one in others if len(standing(slots, [*approvers, one]).filled) > present]


def wanted(slots: Sequence[Slot], approvers: Sequence[Person]) -> frozenset[str]:
    """The groups and roles, as a policy has them, of which somebody would fill one more place.

    "" stands for whoever may approve.
    """
    kinds = {"": ANYBODY, **{str(kind): kind for slot in slots for kind in slot.kinds}}
    others = [
        Person(id=f"of {name}", is_active=True, groups=kind.groups, roles=kind.roles)
        for name, kind in kinds.items()
    ]
    could = {one.id for one in who_could(slots, approvers, others)}
    return frozenset(name for name in kinds if f"of {name}" in could)


def check_place(person: Person, slots: Sequence[Slot], approvers: Sequence[Person]) -> Decision:
    """Whether there is a place left that this person's approval would fill."""
    if who_could(slots, approvers, [person]):
        return Allowed()
    left = standing(slots, approvers).missing
    return Refused(
        "approval:no-place",
        f"What is missing is an approval by {_names(left)}: you are in none of these groups and roles.",
    )


def in_words(stands: Standing, could: Collection[str]) -> str:
    """What is missing and who could give it: "1 of 2: somebody of SRE is missing (@rosa or @li)"."""
    count = f"{len(stands.filled)} of {len(stands.slots)}"
    if stands.is_open:
        return f"{count}: nobody is missing"
    who = (
        " or ".join(f"@{name}" for name in sorted(could))
        or "nobody who could is known: an administrator helps"
    )
    return f"{count}: {_names(stands.missing)} {'is' if len(stands.missing) == 1 else 'are'} missing ({who})"


def _places(slots: Sequence[Slot], person: Person) -> list[int]:
    """The particular ones first: whoever could fill one of them is not needed at one that everybody can fill."""
    open_to = [place for place, slot in enumerate(slots) if slot.may_be_filled_by(person)]
    return sorted(open_to, key=lambda place: (slots[place] == ANYBODY, len(slots[place].kinds), place))


def _names(slots: Sequence[Slot]) -> str:
    return " and ".join("an approver" if slot == ANYBODY else f"somebody of {slot}" for slot in slots)
