"""What is killed at which point of a run, and what becomes of the step by itself: one row for each point.

The tests that go through it are ``releases/services/tests/test_crashes.py``, with a program in Terraform's place, and
``tests/test_crashes.py``, with the real Terraform and real workers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from terraform_runner.domain.runs import Operation
from terraform_runner.points import Point


class Target(StrEnum):
    """Who is killed."""

    CHILD = "the worker's child, which executes the run"
    PARENT = "the worker's parent"
    LAUNCHER = "the launcher"
    TERRAFORM = "Terraform"
    PROVIDER = "the provider"
    WEB = "the web process"
    SCHEDULER = "the scheduler"
    BROKER = "the broker"
    DATABASE = "the database"


AROUND = (Target.WEB, Target.SCHEDULER, Target.BROKER, Target.DATABASE)


@dataclass(frozen=True, kw_only=True)
class Row:
    """During which run the point is met, who is there to be killed, and how the step goes on.

    Where one of ``around`` is killed the run itself goes on, whatever ``then`` says; but where the database is away for
    longer than half a lease it is planned again too.
    """

    during: Operation
    targets: tuple[Target, ...]
    then: str
    around: tuple[Target, ...] = ()

    def kills(self, target: Target) -> bool:
        """Whether this one is killed at the point."""
        return target in self.targets + self.around


WORKER = (Target.CHILD, Target.PARENT)
RUNNING = (*WORKER, Target.LAUNCHER, Target.TERRAFORM)
PLAN, APPLY = Operation.PLAN, Operation.APPLY
AGAIN = "planned again"

ROWS: Mapping[Point, Row] = {
    Point.BEFORE_CLAIM: Row(
        during=PLAN, targets=WORKER, then="another worker takes the same run", around=AROUND
    ),
    Point.AFTER_CLAIM: Row(during=PLAN, targets=WORKER, then=AGAIN),
    Point.IN_INIT: Row(during=PLAN, targets=RUNNING, then=AGAIN),
    Point.IN_PLAN: Row(during=PLAN, targets=(*RUNNING, Target.PROVIDER), then=AGAIN, around=AROUND),
    Point.PLAN_MADE: Row(during=PLAN, targets=WORKER, then=AGAIN),
    Point.PLAN_KEPT: Row(during=PLAN, targets=WORKER, then=AGAIN, around=(Target.DATABASE,)),
    Point.BEFORE_CHECK: Row(
        during=APPLY, targets=WORKER, then=f"{AGAIN}; approved still, since its changes are equal"
    ),
    Point.PLAN_USED: Row(
        during=APPLY,
        targets=WORKER,
        then=f"{AGAIN}; approved still, since its changes are equal",
        around=(Target.DATABASE,),
    ),
    Point.IN_APPLY: Row(
        during=APPLY,
        targets=(*RUNNING, Target.PROVIDER),
        then=f"{AGAIN}; approved still, since its changes are the rest of those that were",
        around=AROUND,
    ),
    Point.APPLIED: Row(
        during=APPLY, targets=WORKER, then=f"{AGAIN}: nothing is left to change, so it is verified"
    ),
    Point.VERIFIED: Row(
        during=APPLY, targets=WORKER, then=f"{AGAIN}: nothing is left to change, so it is verified"
    ),
    Point.BEFORE_COMMIT: Row(
        during=APPLY,
        targets=WORKER,
        then=f"{AGAIN}: nothing is left to change, so it is verified",
        around=AROUND,
    ),
    Point.RECORDED: Row(during=APPLY, targets=WORKER, then="nothing is left to do", around=AROUND),
    Point.LOST: Row(during=PLAN, targets=(Target.CHILD,), then="the next sweep plans it again"),
}
