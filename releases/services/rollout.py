"""Brings a service's steps forward: what is due is planned, what is planned and allowed is applied, what baked is done.

:func:`advance` is called after every change and by the sweeper, under the service's lock. It is idempotent: called
twice, or never for a while, it does the same.
"""

from datetime import datetime, timedelta

from audit.events import Actor
from releases import dispatch, selectors
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.domain.traffic import Transition, changed_colors
from releases.models import Service, Step, StepRun
from releases.services import gates
from releases.services.lifecycle import SYSTEM, change_release, change_step, now
from terraform_runner import claims
from terraform_runner.domain.runs import Operation


def advance(service: Service, *, actor: Actor = SYSTEM) -> None:
    """Do whatever is due for the service now; the caller holds its row."""
    step = selectors.current_step(service)
    if step is None:
        _finish_release(service, actor=actor)
        return
    status, moment = StepStatus(step.status), now()
    if status is StepStatus.PENDING and settled(service, step, moment):
        plan(service, step, actor=actor, action="step.planning")
    elif status is StepStatus.WAITING and step.started_at and gates.is_open(service, step):
        _apply(step, actor=actor)
    elif status is StepStatus.BAKING and step.bake_until and step.bake_until <= moment:
        change_step(step, StepStatus.DONE, actor=actor, action="step.done", ended_at=moment)
        advance(service, actor=actor)


def plan(service: Service, step: Step, *, actor: Actor, action: str, reason: str = "") -> None:
    """Queue a plan run for the step, the first or another one in place of a plan that is worth nothing any more."""
    run = claims.queue_run(workspace=str(service.pk), operation=Operation.PLAN)
    StepRun.objects.create(step=step, run=run)
    change_step(
        step,
        StepStatus.PLANNING,
        actor=actor,
        action=action,
        reason=reason,
        plan_run=run,
        apply_run=None,
        epoch=service.epoch,
    )
    dispatch.send_run(run.pk)


def settled(service: Service, step: Step, moment: datetime) -> bool:
    """Whether the functions that the step changes have been without traffic for the settle time (invariant 2)."""
    return settled_at(service, step) <= moment


def settled_at(service: Service, step: Step) -> datetime:
    """When the functions that the step changes have been, or will have been, without traffic for the settle time."""
    colors = changed_colors(Transition(step.transition), service.state) if service.set_up_at else frozenset()
    ends = [getattr(service, f"{color.value}_traffic_ended_at") for color in colors]
    settle = timedelta(seconds=service.settle_seconds)
    return max((end + settle for end in ends if end), default=step.created_at)


def _apply(step: Step, *, actor: Actor) -> None:
    run = claims.queue_run(workspace=str(step.service_id), operation=Operation.APPLY, plan_run=step.plan_run)
    StepRun.objects.create(step=step, run=run)
    change_step(step, StepStatus.APPLYING, actor=actor, action="step.applying", apply_run=run)
    dispatch.send_run(run.pk)


def _finish_release(service: Service, *, actor: Actor) -> None:
    release = selectors.open_release(service)
    if release:
        change_release(release, ReleaseStatus.PROMOTED, actor=actor, action="release.promoted")
