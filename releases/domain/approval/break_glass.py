"""Breaking the glass: who may open a gate without those whom it asks for, and who looks at it afterwards."""

from collections.abc import Collection

from releases.domain.access.decisions import Allowed, Decision, Permission, Person, Refused, has_permission
from releases.domain.approval.approval_policy import PlanIdentity
from releases.domain.approval.slots import Slot

_ADDRESSED_TO_NOBODY = Refused(
    "glass:not-yours", "You are none of those who may break the glass here: the policy names them."
)


def may_break(
    person: Person,
    *,
    breakers: Collection[Slot],
    is_own_policy: bool,
    is_open: bool,
    plan: PlanIdentity | None,
    shown: PlanIdentity | None,
) -> Decision:
    """Whether this person may open the gate alone, for the plan they were shown.

    `breakers` are the policy's. It may be their own release: that is what it is for, and why somebody else looks at it;
    but not where they made the policy themselves that lets them (`is_own_policy`).
    """
    permitted = has_permission(person, Permission.VIEW)
    if not permitted:
        return permitted
    if person.is_service_account or not _is_one_of(person, breakers):
        return _ADDRESSED_TO_NOBODY
    if is_own_policy:
        return Refused(
            "glass:own-policy", "You asked for it, and made this policy yourself: somebody else breaks it."
        )
    if is_open or plan is None:
        return Refused("glass:open", "Nothing waits for an approval here.")
    if shown != plan:
        return Refused("approval:other-plan", "It is another one by now: look at it before you decide.")
    return Allowed()


def still_holds(person: Person | None, breakers: Collection[Slot]) -> bool:
    """Whether a broken glass still opens its gate: asked right before the apply, too."""
    return person is not None and person.is_active and _is_one_of(person, breakers)


def may_review(person: Person, *, involved_ids: Collection[str], is_reviewed: bool) -> Decision:
    """Whether this person may say what they think of it: an approver who neither pressed nor asked for the release."""
    permitted = has_permission(person, Permission.APPROVE)
    if not permitted:
        return permitted
    if person.id in involved_ids or person.is_service_account:
        return Refused("glass:own", "You were a part of it: somebody else has to look at it.")
    return Refused("glass:reviewed", "It is reviewed already.") if is_reviewed else Allowed()


def _is_one_of(person: Person, breakers: Collection[Slot]) -> bool:
    return any(slot.may_be_filled_by(person) for slot in breakers)
