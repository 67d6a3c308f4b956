"""What a person may do with a service itself, and why not: its settings, its removal, and steps without a release."""

from dataclasses import dataclass

from releases.domain.access.decisions import Allowed, Decision, Permission, Person, Refused, has_permission
from releases.domain.lifecycle import StepStatus
from releases.domain.traffic import ROTATIONS, Transition

MANAGED = frozenset({Transition.SET_UP, Transition.SETTINGS, Transition.REMOVE})
"""The transitions that never belong to a release and that people ask for; a rotation may be prepared ahead of one."""


@dataclass(frozen=True, kw_only=True)
class OwnStep:
    """The unfinished step of a service that belongs to no release. `has_begun`: an apply of it may have changed AWS."""

    transition: Transition
    status: StepStatus
    has_begun: bool


@dataclass(frozen=True, kw_only=True)
class ManagedFacts:
    """A service as managing it needs it. `at_rest`: all users are on one colour, and the canary is off.

    `asked_by` are the ids of those who asked for what is going on now, or changed it last.
    """

    is_set_up: bool
    is_removed: bool
    release_open: bool
    at_rest: bool
    step: OwnStep | None
    asked_by: frozenset[str] = frozenset()


_REMOVED = Refused("managed:removed", "This service was removed; only its history is left.")
_RELEASE_OPEN = Refused("managed:release-open", "A release is open: it has to end first.")
_SPLIT = Refused("managed:split", "Some users or the canary are on the candidate: roll back first.")
_NOT_SET_UP = Refused("managed:not-set-up", "The service is not set up yet.")
_OWN_GATE = Refused(
    "managed:own-gate",
    "You asked for what goes on here now, or changed it: somebody else changes its policy, or you when it has ended.",
)
_NO_STEP = Refused("managed:no-step", "Nothing of this kind is going on.")
_GOING_ON = {
    Transition.SET_UP: "The set-up is going on: it has to end first.",
    Transition.SETTINGS: "A change of the settings is going on: it has to end first.",
    Transition.REMOVE: "The removal is going on.",
    Transition.ROLLBACK: "A rollback is being finished: Terraform does not agree yet.",
}


def may_change_policy(person: Person, facts: ManagedFacts) -> Decision:
    """Whether this person may change what the service's gates ask for: nobody may in the middle of what they asked for.

    They would open the gate that stands before them (invariant 6).
    """
    permitted = has_permission(person, Permission.MANAGE)
    if not permitted:
        return permitted
    if facts.is_removed:
        return _REMOVED
    return _OWN_GATE if person.id in facts.asked_by else Allowed()


def may_change_defaults(person: Person, facts: ManagedFacts) -> Decision:
    """Whether this person may change what future releases begin with: nothing at AWS depends on it."""
    permitted = has_permission(person, Permission.MANAGE)
    if not permitted:
        return permitted
    return _REMOVED if facts.is_removed else Allowed()


def may_change_rotation(facts: ManagedFacts) -> Decision:
    """Whether room may be made for the next version in another way from now on: not while it is being made."""
    if facts.release_open:
        return Refused("managed:rotation", "A release is open, which rotates as it began: wait for its end.")
    if facts.step and facts.step.transition in ROTATIONS:
        return Refused(
            "managed:rotation", "The next release is being prepared in the present way: wait for its end."
        )
    return Allowed()


def may_change_settings(person: Person, facts: ManagedFacts) -> Decision:
    """Whether this person may ask for other settings now; one that failed is replaced by the new one."""
    permitted = may_change_defaults(person, facts)
    if not permitted:
        return permitted
    if not facts.is_set_up:
        return _NOT_SET_UP
    step = facts.step
    if step and not (step.transition is Transition.SETTINGS and step.status is StepStatus.FAILED):
        return _going_on(step)
    return _at_rest(facts)


def may_remove(person: Person, facts: ManagedFacts) -> Decision:
    """Whether this person may ask for the removal now; what failed before does not stand in its way."""
    permitted = may_change_defaults(person, facts)
    if not permitted:
        return permitted
    step = facts.step
    if step is None and not facts.is_set_up:
        return _NOT_SET_UP
    if step and step.status not in {StepStatus.FAILED, StepStatus.REJECTED}:
        return _going_on(step)
    return _at_rest(facts)


def may_cancel(person: Person, facts: ManagedFacts) -> Decision:
    """Whether this person may call off what was asked for: as long as nothing of the present step has been done."""
    step = _asked_for(person, facts)
    if isinstance(step, Refused):
        return step
    if step.status is StepStatus.APPLYING:
        return Refused("managed:applying", "It is being applied: wait for its end.")
    return _HALF_DONE[step.transition] if step.has_begun else Allowed()


def may_retry(person: Person, facts: ManagedFacts) -> Decision:
    """Whether this person may have what failed, or was rejected, planned again."""
    step = _asked_for(person, facts)
    if isinstance(step, Refused):
        return step
    if step.status not in {StepStatus.FAILED, StepStatus.REJECTED}:
        return Refused("managed:not-failed", f"It has not failed: it is {step.status.label}.")
    return Allowed()


_HALF_DONE = {
    Transition.SET_UP: Refused(
        "managed:half-done", "A part of it may be there: try again, or remove the service with what is there."
    ),
    Transition.SETTINGS: Refused(
        "managed:half-done", "A part of it may be done: try again, or ask for other settings in its place."
    ),
    Transition.REMOVE: Refused("managed:half-done", "A part may be destroyed already: try again."),
    **dict.fromkeys(
        ROTATIONS, Refused("managed:half-done", "A part of it may be done: try again, or roll back.")
    ),
}


def right_for(transition: Transition) -> Permission:
    """What somebody needs to call off or try again a step without a release: what it took to ask for it."""
    return Permission.OPERATE if transition in ROTATIONS else Permission.MANAGE


def going_on_words(transition: Transition) -> str:
    """What stands in the way of anything else while a step without a release is unfinished."""
    return _GOING_ON.get(transition, "The next release is being prepared: that has to end first.")


def _asked_for(person: Person, facts: ManagedFacts) -> OwnStep | Refused:
    """What goes on that people asked for, where this person might change its course."""
    step = facts.step
    permitted = has_permission(person, right_for(step.transition) if step else Permission.MANAGE)
    if isinstance(permitted, Refused):
        return permitted
    return _NO_STEP if step is None or step.transition not in MANAGED | ROTATIONS else step


def _going_on(step: OwnStep) -> Refused:
    return Refused("managed:going-on", going_on_words(step.transition))


def _at_rest(facts: ManagedFacts) -> Decision:
    if facts.release_open:
        return _RELEASE_OPEN
    return Allowed() if facts.at_rest else _SPLIT
