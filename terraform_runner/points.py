"""Named points on the way of a run, at which tests stop or kill a process.

Each has a row in the fault matrix (``tests/fault_matrix.py``), and a test fails where one has none. Nothing listens
outside of tests, and nothing from outside the process can make it: no setting, no variable, no message.
"""

from collections.abc import Callable
from enum import StrEnum


class Point(StrEnum):
    """A moment of a run; its value is what tests call it."""

    BEFORE_CLAIM = "before-claim"
    """A worker was told of the run and has not taken it."""
    AFTER_CLAIM = "after-claim"
    """The run and its service are taken; nothing was started."""
    IN_INIT = "in-init"
    """``terraform init`` has begun to print."""
    IN_PLAN = "in-plan"
    """``terraform plan`` has begun to print."""
    PLAN_MADE = "plan-made"
    """The plan file is in the working directory only."""
    PLAN_KEPT = "plan-kept"
    """The plan and its JSON are in the store, and the database does not know of them."""
    BEFORE_CHECK = "before-check"
    """The plan to apply is in the working directory; what is real has not been compared with it."""
    PLAN_USED = "plan-used"
    """The plan is marked as used; Terraform has not been started."""
    IN_APPLY = "in-apply"
    """``terraform apply`` has begun to print, and so to change something."""
    APPLIED = "applied"
    """Terraform has ended well; nothing was read back."""
    VERIFIED = "verified"
    """What is real is what was wanted, and the database does not know of it."""
    BEFORE_COMMIT = "before-commit"
    """What came of the run is written in a transaction that is not committed."""
    RECORDED = "recorded"
    """That is committed; the run's hold has not been left."""
    LOST = "lost"
    """The run counts as lost with its worker; its step was not planned again."""


Listener = Callable[[Point], None]

_listeners: list[Listener] = []


def reached(point: Point) -> None:
    """Say that this process is at a point."""
    for listener in _listeners:
        listener(point)


def listen(listener: Listener) -> None:
    """Have a test's function called, in this process and those forked from it, whenever a point is reached."""
    _listeners.append(listener)


def ignore(listener: Listener) -> None:
    """Call it no longer."""
    _listeners.remove(listener)
