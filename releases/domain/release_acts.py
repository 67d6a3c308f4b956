"""What a person may do with a release and its steps beside deciding and starting, and why not."""

from dataclasses import dataclass

from releases.domain.access.decisions import Allowed, Decision, Permission, Person, Refused, has_permission
from releases.domain.any_weight import SKIPPABLE, PlacedStep
from releases.domain.lifecycle import OPEN_STATUSES, ReleaseStatus, StepStatus
from releases.domain.traffic import ROTATIONS, Transition


@dataclass(frozen=True, kw_only=True)
class ReleaseFacts:
    """A release as it is now; `share` is what its version has of the users, in percent.

    `current` is the first step that has not ended, `acting` the one that people act on: the same, or the next one while
    that one bakes. `in_place`: the rotation is done. `somebody_was_sent`: an apply of this release has begun that sends
    anybody to its version. `canary_on`: its canary sends somebody now. `apply_begun`: the acting step has failed in its
    apply.
    """

    status: ReleaseStatus
    requested_by_id: str
    share: int
    current: PlacedStep | None
    acting: PlacedStep | None
    in_place: bool
    somebody_was_sent: bool
    canary_on: bool = False
    apply_begun: bool = False


PAUSED = Refused("act:paused", "The release is paused: resume it first.")

_ALLOWED = Allowed()
_ENDED = Refused("act:ended", "This release has ended.")
_NOTHING_LEFT = Refused("act:no-step", "None of its steps can be changed now.")
_NAMES = {
    Transition.CANARY: "The canary",
    Transition.PROMOTE: "The promotion",
    **dict.fromkeys(ROTATIONS, "The rotation"),
}


def may_pause(person: Person, release: ReleaseFacts) -> Decision:
    """Whether this person may hold the release where it is."""
    paused = Refused("act:paused-already", "It is paused already.")
    return _first(_may_operate(person, release), paused if _is_paused(release) else _ALLOWED)


def may_resume(person: Person, release: ReleaseFacts) -> Decision:
    """Whether this person may let a paused release go on."""
    going_on = Refused("act:not-paused", "It is not paused.")
    return _first(_may_operate(person, release), _ALLOWED if _is_paused(release) else going_on)


def may_retry(person: Person, release: ReleaseFacts) -> Decision:
    """Whether this person may have the step that failed or was rejected planned again; it asks again then."""
    return _first(_may_operate(person, release), _unless_paused(release), _retryable(release))


def may_skip(person: Person, release: ReleaseFacts) -> Decision:
    """Whether this person may leave out the step that comes next."""
    return _first(_may_operate(person, release), _skippable(release))


def may_skip_bake(person: Person, release: ReleaseFacts) -> Decision:
    """Whether this person may end the bake time that runs."""
    bakes = release.current is not None and release.current.status is StepStatus.BAKING
    not_baking = Refused("act:not-baking", "No bake time runs.")
    return _first(_may_operate(person, release), _ALLOWED if bakes else not_baking)


def may_cancel(person: Person, release: ReleaseFacts) -> Decision:
    """Whether this person may give the release up: whoever requested it, or who operates the service."""
    is_own = person.id == release.requested_by_id and has_permission(person, Permission.REQUEST)
    permitted = _ALLOWED if is_own else has_permission(person, Permission.OPERATE)
    return _first(permitted, _unless_ended(release), _cancellable(release))


def may_set_share(person: Person, release: ReleaseFacts, share: int | None = None) -> Decision:
    """Whether this person may set the new version's share of the users by hand: to `share`, or to anything at all."""
    to_this = _ALLOWED if share is None else _settable_to(release, share)
    return _first(_may_operate(person, release), _settable(release), to_this)


def may_add_address(person: Person, release: ReleaseFacts) -> Decision:
    """Whether this person may send one more address to the new version: only while the canary is on."""
    return _first(_may_operate(person, release), _unless_paused(release), _canary_extendable(release))


def _first(*answers: Decision) -> Decision:
    return next((answer for answer in answers if not answer), _ALLOWED)


def _may_operate(person: Person, release: ReleaseFacts) -> Decision:
    return _first(has_permission(person, Permission.OPERATE), _unless_ended(release))


def _unless_ended(release: ReleaseFacts) -> Decision:
    return _ALLOWED if release.status in OPEN_STATUSES else _ENDED


def _is_paused(release: ReleaseFacts) -> bool:
    return release.status is ReleaseStatus.PAUSED


def _unless_paused(release: ReleaseFacts) -> Decision:
    return PAUSED if _is_paused(release) else _ALLOWED


def _retryable(release: ReleaseFacts) -> Decision:
    step = release.acting
    if step is None or step.status not in {StepStatus.FAILED, StepStatus.REJECTED}:
        return Refused("act:not-failed", "Nothing has failed.")
    return _ALLOWED


def _skippable(release: ReleaseFacts) -> Decision:
    step = release.acting
    if step is None:
        return _NOTHING_LEFT
    if step.transition in ROTATIONS:
        return Refused(
            "act:not-skippable", "The rotation cannot be skipped: it puts the new version in place."
        )
    if step.transition not in SKIPPABLE:
        return Refused("act:not-skippable", "The promotion cannot be skipped: it is the end of the release.")
    return _unless_applying(step, release)


def _cancellable(release: ReleaseFacts) -> Decision:
    if release.somebody_was_sent:
        return Refused("act:was-sent", "Somebody has been sent to the new version: roll back instead.")
    if release.apply_begun:
        return Refused(
            "act:half-applied", "An apply failed half-way: roll back, which brings Terraform to what is real."
        )
    return _ALLOWED if release.current is None else _unless_applying(release.current, release)


def _settable(release: ReleaseFacts) -> Decision:
    if not release.in_place:
        return Refused("act:not-in-place", "The new version is not in place yet: the rotation comes first.")
    return _NOTHING_LEFT if release.acting is None else _unless_applying(release.acting, release)


def _canary_extendable(release: ReleaseFacts) -> Decision:
    if not release.canary_on:
        return Refused("act:canary-off", "The canary is off: an address is added while it is on.")
    return _NOTHING_LEFT if release.acting is None else _unless_applying(release.acting, release)


def _settable_to(release: ReleaseFacts, share: int) -> Decision:
    step = release.acting
    if share == release.share:
        return Refused("act:same-share", f"The new version has {share} % of the users already.")
    if step and step.candidate_share == share and step.transition not in {*ROTATIONS, Transition.CANARY}:
        return Refused("act:next-already", f"{_name(step)} comes next already.")
    return _unless_paused(release) if share > release.share else _ALLOWED


def _unless_applying(step: PlacedStep, release: ReleaseFacts) -> Decision:
    if step.status is StepStatus.APPLYING:
        return Refused(
            "act:applying", f"{_name(step)} is being applied: wait until that has ended, or roll back."
        )
    return _ALLOWED


def _name(step: PlacedStep) -> str:
    return _NAMES.get(step.transition, f"The shift to {step.candidate_share} %")
