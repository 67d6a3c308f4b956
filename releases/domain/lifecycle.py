"""The life cycle of releases and of their steps: one table each, which says what may follow what."""

from collections.abc import Mapping
from enum import StrEnum

from releases.domain.errors import IllegalChange


class ReleaseStatus(StrEnum):
    """Where a release stands."""

    OPEN = "open"
    PAUSED = "paused"
    """Open, but nothing goes on until somebody resumes it."""
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    """Given up before anybody was sent to its version."""

    @property
    def label(self) -> str:
        """The status in words."""
        return self.value.replace("_", " ")


class StepStatus(StrEnum):
    """Where a step of a release stands."""

    PENDING = "pending"
    PLANNING = "planning"
    WAITING = "waiting"
    """A plan is there: for an approval, for the start, or for both."""
    APPLYING = "applying"
    BAKING = "baking"
    """Applied and verified; its bake time runs."""
    DONE = "done"
    FAILED = "failed"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    """Left out: by hand, or because users have as great a share already."""
    ABANDONED = "abandoned"
    """Ended with its release, by a rollback or a cancellation."""

    @property
    def label(self) -> str:
        """The status in words."""
        return self.value


OPEN_STATUSES = frozenset({ReleaseStatus.OPEN, ReleaseStatus.PAUSED})
"""What asks whether a release is open asks for these: a paused one goes on later."""

ENDED_STEP_STATUSES = frozenset({StepStatus.DONE, StepStatus.SKIPPED, StepStatus.ABANDONED})

_ENDS = frozenset(
    {ReleaseStatus.PROMOTED, ReleaseStatus.ROLLED_BACK, ReleaseStatus.REJECTED, ReleaseStatus.CANCELLED}
)

ALLOWED_RELEASE: Mapping[ReleaseStatus, frozenset[ReleaseStatus]] = {
    ReleaseStatus.OPEN: frozenset({ReleaseStatus.PAUSED, *_ENDS}),
    # To promoted: its last apply was running when it was paused.
    ReleaseStatus.PAUSED: frozenset({ReleaseStatus.OPEN, *_ENDS}),
    ReleaseStatus.PROMOTED: frozenset({ReleaseStatus.ROLLED_BACK}),
    ReleaseStatus.ROLLED_BACK: frozenset(),
    ReleaseStatus.REJECTED: frozenset(),
    ReleaseStatus.CANCELLED: frozenset(),
}

ALLOWED_STEP: Mapping[StepStatus, frozenset[StepStatus]] = {
    # Rejected, here and while it is planned: the request was that it belongs to.
    StepStatus.PENDING: frozenset(
        {StepStatus.PLANNING, StepStatus.REJECTED, StepStatus.SKIPPED, StepStatus.ABANDONED}
    ),
    # Straight to baking or done: the plan changes nothing, and what is real has been verified. To planning again: the
    # run was lost with its worker. Back to pending: it gave way to another step.
    StepStatus.PLANNING: frozenset(
        {
            StepStatus.PLANNING,
            StepStatus.WAITING,
            StepStatus.BAKING,
            StepStatus.DONE,
            StepStatus.FAILED,
            StepStatus.REJECTED,
            StepStatus.PENDING,
            StepStatus.SKIPPED,
            StepStatus.ABANDONED,
        }
    ),
    # Back to planning: the plan went stale, reality moved away from it, or its run was lost.
    StepStatus.WAITING: frozenset(
        {
            StepStatus.APPLYING,
            StepStatus.PLANNING,
            StepStatus.REJECTED,
            StepStatus.PENDING,
            StepStatus.SKIPPED,
            StepStatus.ABANDONED,
        }
    ),
    StepStatus.APPLYING: frozenset(
        {
            StepStatus.BAKING,
            StepStatus.DONE,
            StepStatus.PLANNING,
            StepStatus.FAILED,
            StepStatus.ABANDONED,
        }
    ),
    StepStatus.BAKING: frozenset({StepStatus.DONE, StepStatus.ABANDONED}),
    StepStatus.DONE: frozenset(),
    # To planning: it is tried again, and asks again.
    StepStatus.FAILED: frozenset({StepStatus.PLANNING, StepStatus.SKIPPED, StepStatus.ABANDONED}),
    StepStatus.REJECTED: frozenset({StepStatus.PLANNING, StepStatus.SKIPPED, StepStatus.ABANDONED}),
    StepStatus.SKIPPED: frozenset(),
    StepStatus.ABANDONED: frozenset(),
}


def check_release_change(old: ReleaseStatus, new: ReleaseStatus) -> None:
    """Raise IllegalChange if a release may not go from `old` to `new`."""
    if new not in ALLOWED_RELEASE[old]:
        raise _someone_was_faster("release", old.label)


def check_step_change(old: StepStatus, new: StepStatus) -> None:
    """Raise IllegalChange if a step may not go from `old` to `new`."""
    if new not in ALLOWED_STEP[old]:
        raise _someone_was_faster("step", old.label)


def _someone_was_faster(what: str, label: str) -> IllegalChange:
    return IllegalChange(f"{what}:stale", f"Someone was faster: the {what} is already {label}.")
