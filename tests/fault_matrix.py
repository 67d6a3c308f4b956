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


@dataclass(frozen=True, kw_only=True)
class Row:
    """During which run the point is met, who is there to be killed, and how the step goes on."""

    during: Operation
    targets: tuple[Target, ...]
    then: str


WORKER = (Target.CHILD, Target.PARENT)
RUNNING = (*WORKER, Target.LAUNCHER, Target.TERRAFORM)
PLAN, APPLY = Operation.PLAN, Operation.APPLY
AGAIN = "planned again"

ROWS: Mapping[Point, Row] = {
    Point.BEFORE_CLAIM: Row(during=PLAN, targets=WORKER, then="another worker takes the same run"),
    Point.AFTER_CLAIM: Row(during=PLAN, targets=WORKER, then=AGAIN),
    Point.IN_INIT: Row(during=PLAN, targets=RUNNING, then=AGAIN),
    Point.IN_PLAN: Row(during=PLAN, targets=(*RUNNING, Target.PROVIDER), then=AGAIN),
    Point.PLAN_MADE: Row(during=PLAN, targets=WORKER, then=AGAIN),
    Point.PLAN_KEPT: Row(during=PLAN, targets=WORKER, then=AGAIN),
    Point.BEFORE_CHECK: Row(
        during=APPLY, targets=WORKER, then=f"{AGAIN}; approved still, since its changes are equal"
    ),
    Point.PLAN_USED: Row(
        during=APPLY, targets=WORKER, then=f"{AGAIN}; approved still, since its changes are equal"
    ),
    Point.IN_APPLY: Row(
        during=APPLY,
        targets=(*RUNNING, Target.PROVIDER),
        then=f"{AGAIN}; approved still, since its changes are the rest of those that were",
    ),
    Point.APPLIED: Row(
        during=APPLY, targets=WORKER, then=f"{AGAIN}: nothing is left to change, so it is verified"
    ),
    Point.VERIFIED: Row(
        during=APPLY, targets=WORKER, then=f"{AGAIN}: nothing is left to change, so it is verified"
    ),
    Point.BEFORE_COMMIT: Row(
        during=APPLY, targets=WORKER, then=f"{AGAIN}: nothing is left to change, so it is verified"
    ),
    Point.RECORDED: Row(during=APPLY, targets=WORKER, then="nothing is left to do"),
    Point.LOST: Row(during=PLAN, targets=(Target.CHILD,), then="the next sweep plans it again"),
}
