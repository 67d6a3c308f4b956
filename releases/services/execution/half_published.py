"""Publishes what an interrupted update has left unpublished, so that the next plan leads the alias to it."""

from aws import functions
from aws.accounts import Purpose
from releases.domain.observed.half_published import half_published
from releases.domain.observed.reality import Reality
from releases.domain.plans.expectation import Expectation
from releases.domain.traffic import Color
from releases.models import Step
from releases.services.errors import PlanOutdated
from releases.services.execution.accounts import access
from releases.services.lifecycle import SYSTEM, locked, record
from terraform_runner import leases
from terraform_runner.models import Run


def publish(run: Run, step: Step, expectation: Expectation, reality: Reality) -> None:
    """Raises PlanOutdated where there was something to publish, and HoldLost; else nothing is done.

    Nobody is sent to a version by its being published: that the alias leads to it is Terraform's, by a plan.
    """
    for color in half_published(expectation, reality):
        _publish(run, step, color, expectation, reality)


def _publish(run: Run, step: Step, color: Color, expectation: Expectation, reality: Reality) -> None:
    name, digest = reality.color(color).function_name, expectation.after.version_of(color).digest
    why = f"An update of {name} was interrupted before a version of it was published."
    with locked(step.service_id) as service:
        leases.refuse_unless_held(run)
        record(
            service,
            step,
            actor=SYSTEM,
            action="step.publishing",
            after={"function": name, "digest": digest},
            reason=why,
        )
    version = functions.publish(access(step.service, Purpose.WRITE), name, digest=digest)
    raise PlanOutdated(f"{why} It is published now, as version {version}.")
