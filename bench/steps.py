"""The steps of the demo's release, as the people bring them forward who may."""

from uuid import UUID

from bench.demo import Demo, wait_for
from bench.errors import CannotMeasure
from releases import selectors
from releases.domain.approval.approval_policy import PlanIdentity
from releases.domain.lifecycle import StepStatus
from releases.domain.traffic import ROTATIONS
from releases.services import facts, shares
from releases.services.approval import approvals
from releases.services.requests import ReleaseRequest, request_release
from releases.services.rollback import emergency, reasons

STOPPED = frozenset({StepStatus.FAILED, StepStatus.REJECTED, StepStatus.ABANDONED})


class Steps:
    """One release at a time, requested by the requester, started by the operator, approved by the manager."""

    def __init__(self, demo: Demo) -> None:
        self._demo, self.service = demo, demo.service
        self._requester, self._manager, self._operator = map(
            demo.person, ("requester", "manager", "operator")
        )

    def request(self, wanted: ReleaseRequest) -> None:
        """Request a release, and put its version in place. Whatever was rolled back before has its reason then."""
        for rollback in self.service.rollbacks.filter(reason=""):
            reasons.give_reason(rollback.pk, user=self._manager, reason="An exercise: it is measured")
        request_release(service_id=self.service.pk, user=self._requester, wanted=wanted)
        self.wait_until(self.start(), StepStatus.DONE)

    def start(self) -> UUID:
        """Start the step that can be started, and say which one that is."""
        step = facts.acting_step(self.service)
        if step is None:
            raise CannotMeasure("The release has no step that could be started.")
        approvals.start(step_id=step.pk, user=self._operator)
        return step.pk

    def go_on(self) -> None:
        """Start what can be started now, approve it where it has a gate, and wait until it is done."""
        step_id = self.start()
        if selectors.get_step(step_id).gate:
            self.wait_until(step_id, StepStatus.WAITING)
            self.approve(step_id)
        self.wait_until(step_id, StepStatus.DONE)

    def take_back(self) -> None:
        """End the release that is open, if there is one, by the emergency button; return when Terraform agrees."""
        if selectors.open_release(self.service):
            emergency.roll_back(service_id=self.service.pk, user=self._manager)
            self._demo.wait_for_terraform()

    def approve(self, step_id: UUID) -> None:
        """Approve the plan that a step waits with."""
        run = selectors.get_step(step_id).plan_run
        if run is None:
            raise CannotMeasure("The step has no plan.")
        shown = PlanIdentity(sha256=run.plan_sha256, changes_digest=run.changes_digest)
        approvals.approve(step_id=step_id, user=self._manager, shown=shown)

    def lower(self, share: int) -> None:
        """Set a lower share, and wait until that is verified."""
        release = self.service.releases.latest("number")
        shares.set_share(release_id=release.pk, share=share, user=self._operator)
        (step,) = release.steps.filter(candidate_share=share)
        self.wait_until(step.pk, StepStatus.DONE)

    def wait_until_in_place(self) -> None:
        """Until nothing of the rotation is left, which one start begins. Raises CannotMeasure if it stops before."""

        def is_rotated() -> bool:
            step = facts.acting_step(self.service)
            if step:
                self.raise_if_stopped(step.pk)
            return step is None or step.transition not in ROTATIONS

        wait_for(is_rotated, "the new version to be in place")

    def wait_for_the_next_plan(self) -> None:
        """It is made by itself: what is measured next has the machine to itself."""
        step = facts.acting_step(self.service)
        if step:
            self.wait_until(step.pk, StepStatus.WAITING)

    def wait_until(self, step_id: UUID, wanted: StepStatus) -> None:
        """Until the step has this status. Raises CannotMeasure if it stops before."""

        def reached() -> bool:
            return self.raise_if_stopped(step_id) is wanted

        wait_for(reached, f"a step to be {wanted}")

    def raise_if_stopped(self, step_id: UUID) -> StepStatus:
        """Raise CannotMeasure if a step has failed or was ended; else its status."""
        step = selectors.get_step(step_id)
        if step.status in STOPPED:
            raise CannotMeasure(f"The step {step} is {step.status}: {step.problem}")
        return StepStatus(step.status)
