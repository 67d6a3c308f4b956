"""A whole transition, from the moment when its plan is queued until it is verified, without waiting for people.

Each step is started while the one before it bakes. To have Bluegreen quiet while Terraform runs by hand the bake time
is endless; its end, which queues the plan, is where the clock starts.
"""

from datetime import timedelta
from uuid import UUID

from bench.demo import Demo
from bench.figures import Figure, Goal
from bench.pairs import PAIRS, in_turn, timed
from bench.steps import Steps
from releases.domain.lifecycle import StepStatus
from releases.models import Service, Step
from releases.services import rollout
from releases.services.lifecycle import locked, now
from releases.services.requests import ReleaseRequest

TAG = "green"
# The first is on the way there; each of the others is measured.
SHARES = tuple(range(10, 10 * (PAIRS + 2), 10))
ENDLESS = timedelta(days=1)


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
    """A release of the demo's service that is brought forward step by step."""

    def __init__(self, demo: Demo) -> None:
        self._steps = Steps(demo)

    def begin(self) -> None:
        """Request it, rotate, and bring it to the first share: from then on no step has a gate."""
        bake_seconds = int(ENDLESS.total_seconds())
        self._steps.request(ReleaseRequest(tag=TAG, weights=SHARES, canary=False, bake_seconds=bake_seconds))
        first = self._steps.start()
        self._steps.wait_until(first, StepStatus.WAITING)
        self._steps.approve(first)
        self._steps.wait_until(first, StepStatus.BAKING)

    def shift(self) -> float:
        """The seconds of one shift, which has been started before."""
        step_id = self._steps.start()
        return timed(lambda: self._end_bake_and_wait(step_id))

    def _end_bake_and_wait(self, step_id: UUID) -> None:
        _end_bake(self._steps.service)
        self._steps.wait_until(step_id, StepStatus.BAKING)


def _end_bake(service: Service) -> None:
    with locked(service.pk) as held:
        Step.objects.filter(service=held, status=StepStatus.BAKING.value).update(bake_until=now())
        rollout.advance(held)
