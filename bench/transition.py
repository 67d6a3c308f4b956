"""A whole transition, from the moment when it is asked for until it is verified, without waiting for people.

What takes users off the new version needs no approval and begins at once, so each shift goes down: its plan can't have
been made ahead.
"""

from bench.demo import Demo
from bench.figures import Figure, Goal
from bench.pairs import PAIRS, in_turn, timed
from bench.steps import Steps
from releases.domain.lifecycle import StepStatus
from releases.services.requests import ReleaseRequest

TAG = "green"
# The first is where it begins; each of the others is measured.
SHARES = tuple(range(10 * (PAIRS + 1), 0, -10))


def measure(demo: Demo) -> Figure:
    """Shifts of a release in Bluegreen, against the same weights by hand in fresh directories."""
    plain = demo.by_hand()
    plain.set_up()
    release = Shifts(demo)
    release.begin()
    weights = iter(SHARES[1:])
    measured, baseline = in_turn(release.shift, lambda: plain.change_in_fresh_directory(next(weights)))
    return Figure.of_pairs("transition", measured, baseline, goal=Goal(on="ratio", at_most=1.0))


class Shifts:
    """A release of the demo's service whose share is lowered again and again."""

    def __init__(self, demo: Demo) -> None:
        self._steps = Steps(demo)
        self._shares = iter(SHARES[1:])

    def begin(self) -> None:
        """Request it, rotate, and bring it to the first share."""
        self._steps.request(ReleaseRequest(tag=TAG, weights=SHARES[:1], canary=False))
        first = self._steps.start()
        self._steps.wait_until(first, StepStatus.WAITING)
        self._steps.approve(first)
        self._steps.wait_until(first, StepStatus.DONE)
        self._steps.wait_for_the_next_plan()

    def shift(self) -> float:
        """The seconds of one shift; returns when the next step's plan is there, and the machine quiet."""
        share = next(self._shares)
        seconds = timed(lambda: self._steps.lower(share))
        self._steps.wait_for_the_next_plan()
        return seconds
