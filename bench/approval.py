"""From the last approval to the traffic having moved.

The plan is there and the step is started, so that only the apply remains. When the traffic has moved is seen by reading
the rule again and again, which burdens the machine: it is read just as often while the plain way goes on.
"""

import threading
from collections.abc import Callable, Mapping
from itertools import count
from uuid import UUID

from aws import load_balancer, session
from bench.demo import POLL_SECONDS, Demo, wait_for
from bench.figures import Figure, Goal
from bench.pairs import PAIRS, in_turn, timed
from bench.steps import Steps
from releases.domain.lifecycle import StepStatus
from releases.services.execution import accounts
from releases.services.requests import ReleaseRequest

TAG = "green"
READER = "reader of the rule"
SHARES = tuple(range(10, 10 * (PAIRS + 2), 10))


def measure(demo: Demo) -> Figure:
    """Gated shifts of a release, against ``apply`` of a saved plan by hand in an initialised directory."""
    plain = demo.by_hand()
    plain.set_up()
    release = GatedShifts(demo)
    release.begin()
    weights = count(1)
    measured, baseline = in_turn(
        release.shift, lambda: release.beside(lambda: plain.apply_saved_plan(next(weights)))
    )
    return Figure.of_pairs("approval", measured, baseline, goal=Goal(on="ratio", at_most=1.15))


class GatedShifts:
    """A release in which each shift has a gate and follows at once. Clients of the AWS API are there before."""

    def __init__(self, demo: Demo) -> None:
        self._steps = Steps(demo)
        self._service = demo.service
        self._access = accounts.access(demo.service)
        session.connect(self._access)

    def begin(self) -> None:
        """Request it, and put its version in place."""
        gates = {f"shift-{share}" for share in SHARES}
        self._steps.request(ReleaseRequest(tag=TAG, weights=SHARES, canary=False, extra_gates=gates))

    def shift(self) -> float:
        """The seconds from one approval to the weights being read at the load balancer."""
        step_id = self._steps.start()
        self._steps.wait_until(step_id, StepStatus.WAITING)
        before = self._weights()
        seconds = timed(lambda: self._approve_and_wait(step_id, before))
        self._steps.wait_until(step_id, StepStatus.DONE)
        self._steps.wait_for_the_next_plan()
        return seconds

    def beside(self, act: Callable[[], float]) -> float:
        """What ``act`` gives, with the rule being read as often as while a shift is waited for."""
        over = threading.Event()
        reader = threading.Thread(target=self._read_until, args=(over,), name=READER)
        reader.start()
        try:
            return act()
        finally:
            over.set()
            reader.join()

    def _read_until(self, over: threading.Event) -> None:
        while not over.wait(POLL_SECONDS):
            self._weights()

    def _approve_and_wait(self, step_id: UUID, before: Mapping[str, int]) -> None:
        self._steps.approve(step_id)

        def moved() -> bool:
            self._steps.raise_if_stopped(step_id)
            return self._weights() != before

        wait_for(moved, "the traffic to move")

    def _weights(self) -> Mapping[str, int]:
        arn = self._service.traffic_rule_arn
        return load_balancer.read_rules(self._access, [arn])[arn].weights
