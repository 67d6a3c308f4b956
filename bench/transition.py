"""A whole transition, from the moment when its plan is queued until it is verified, without waiting for people.

Each step is started while the one before it bakes. To have Bluegreen quiet while Terraform runs by hand the bake time
is endless; its end, which queues the plan, is where the clock starts.
"""

from datetime import timedelta
from uuid import UUID

from bench.demo import Demo, wait_for
from bench.errors import CannotMeasure
from bench.figures import Figure, Goal
from bench.pairs import PAIRS, in_turn, timed
from releases import selectors
from releases.domain.approval_policy import PlanIdentity
from releases.domain.lifecycle import StepStatus
from releases.models import Service, Step
from releases.services import approvals, facts, rollout
from releases.services.lifecycle import locked, now
from releases.services.requests import ReleaseRequest, request_release

TAG = "green"
# The first is on the way there; each of the others is measured.
SHARES = tuple(range(10, 10 * (PAIRS + 2), 10))
ENDLESS = timedelta(days=1)
STOPPED = frozenset({StepStatus.FAILED, StepStatus.REJECTED, StepStatus.ABANDONED})


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
    """A release of the demo's service that is brought forward step by step, by the people who may."""

    def __init__(self, demo: Demo) -> None:
        self._service = demo.service
        self._requester, self._manager, self._operator = map(
            demo.person, ("requester", "manager", "operator")
        )

    def begin(self) -> None:
        """Request it, rotate, and bring it to the first share: from then on no step has a gate."""
        wanted = ReleaseRequest(
            tag=TAG, weights=SHARES, canary=False, bake_seconds=int(ENDLESS.total_seconds())
        )
        request_release(service_id=self._service.pk, user=self._requester, wanted=wanted)
        _wait_until(self._start(), StepStatus.DONE)
        first = self._start()
        _wait_until(first, StepStatus.WAITING)
        approvals.approve(step_id=first, user=self._manager, shown=_plan_of(first))
        _wait_until(first, StepStatus.BAKING)

    def shift(self) -> float:
        """The seconds of one shift, which has been started before."""
        step_id = self._start()
        return timed(lambda: self._end_bake_and_wait(step_id))

    def _start(self) -> UUID:
        step = facts.acting_step(self._service)
        if step is None:
            raise CannotMeasure("The release has no step that could be started.")
        approvals.start(step_id=step.pk, user=self._operator)
        return step.pk

    def _end_bake_and_wait(self, step_id: UUID) -> None:
        _end_bake(self._service)
        _wait_until(step_id, StepStatus.BAKING)


def _end_bake(service: Service) -> None:
    with locked(service.pk) as held:
        Step.objects.filter(service=held, status=StepStatus.BAKING.value).update(bake_until=now())
        rollout.advance(held)


def _plan_of(step_id: UUID) -> PlanIdentity:
    run = selectors.get_step(step_id).plan_run
    if run is None:
        raise CannotMeasure("The step has no plan.")
    return PlanIdentity(sha256=run.plan_sha256, changes_digest=run.changes_digest)


def _wait_until(step_id: UUID, status: StepStatus) -> None:
    def reached() -> bool:
        step = selectors.get_step(step_id)
        if step.status in STOPPED:
            raise CannotMeasure(f"The step {step} is {step.status}: {step.problem}")
        return step.status == status

    wait_for(reached, f"a step to be {status}")
