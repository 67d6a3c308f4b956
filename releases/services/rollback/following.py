"""Terraform's following of a rollback, where it failed at something that may pass by itself: it is tried again."""

from datetime import timedelta

from releases import selectors
from releases.domain.lifecycle import StepStatus
from releases.models import EmergencyRollback
from releases.selectors import rollbacks as rollback_selectors
from releases.services import rollout
from releases.services.lifecycle import SYSTEM, locked, now

AGAIN_AFTER = timedelta(minutes=1)
TRIED_FOR = timedelta(hours=2)
# A lock of somebody else's on the state, a storage or an AWS that does not answer; not a plan that the guard refuses.
MAY_PASS = frozenset(
    {
        "aws:throttled",
        "aws:unavailable",
        "aws:unreachable",
        "run:storage",
        "run:timed-out",
        "terraform:failed",
        "terraform:state-locked",
    }
)


def is_tried_again(rollback: EmergencyRollback) -> bool:
    """Whether Terraform's part has failed and is planned again by itself."""
    step = rollback.converge
    is_young = rollback.pressed_at > now() - TRIED_FOR
    return step.status == StepStatus.FAILED and step.problem_code in MAY_PASS and is_young


def follow_again() -> None:
    """Plan again what failed a while ago, unless something else is the service's turn by now. Idempotent."""
    moment = now()
    for rollback in rollback_selectors.failed_to_follow(
        codes=MAY_PASS, failed_before=moment - AGAIN_AFTER, pressed_after=moment - TRIED_FOR
    ):
        with locked(rollback.service_id) as service:
            step = selectors.current_step(service)
            if step and step.pk == rollback.converge_id and step.status == StepStatus.FAILED:
                rollout.plan(service, step, actor=SYSTEM, action="step.planned-again", reason=step.problem)
