"""Brings a service's steps forward: what is due is planned, what is planned and allowed is applied, what baked is done.

The next step is planned as soon as the one before it is verified, so that after the bake time only the apply remains.
In a paused release, and while nothing may begin by the policy's freeze windows, no apply begins, but for a step that
takes users off the candidate.

:func:`advance` is called after every change and by the sweeper, under the service's lock. It is idempotent: called
twice, or never for a while, it does the same.
"""

from datetime import datetime, timedelta

from audit.events import Actor
from releases import dispatch, selectors
from releases.domain.any_weight import lowers
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.domain.traffic import Transition, changed_colors
from releases.models import Service, Step, StepRun
from releases.services.approval import gates
from releases.services.approval.gate import Gate
from releases.services.lifecycle import SYSTEM, change_release, change_step, now, record
from terraform_runner import claims
from terraform_runner.domain.runs import Operation


def advance(service: Service, *, actor: Actor = SYSTEM) -> None:
    """Do whatever is due for the service now; the caller holds its row."""
    steps = list(selectors.unfinished_steps(service)[:2])
    if not steps:
        _finish_release(service, actor=actor)
        return
    step, *later = steps
    if step.status != StepStatus.BAKING:
        _bring_forward(service, step, actor)
    elif step.bake_until and step.bake_until <= (moment := now()):
        change_step(step, StepStatus.DONE, actor=actor, action="step.done", ended_at=moment)
        advance(service, actor=actor)
    else:
        for following in later:
            _plan_if_due(service, following, gates.ask(service, following), actor)


def is_held(service: Service, step: Step) -> bool:
    """Whether the step may not begin because its release is paused; taking users off the candidate is never held."""
    paused = step.release is not None and step.release.is_paused
    return paused and not lowers(service.state, Transition(step.transition), step.candidate_share)


def plan(service: Service, step: Step, *, actor: Actor, action: str, reason: str = "") -> None:
    """Queue a plan run for the step, the first or another one in place of a plan that is worth nothing any more."""
    run = claims.queue_run(workspace=str(service.pk), operation=Operation.PLAN, urgent=_is_urgent(step))
    StepRun.objects.create(step=step, run=run)
    change_step(
        step,
        StepStatus.PLANNING,
        actor=actor,
        action=action,
        reason=reason,
        plan_run=run,
        apply_run=None,
        rest_of="",
        epoch=service.epoch,
        problem_code="",
        problem="",
    )
    dispatch.send_run(run.pk, urgent=run.urgent)


def settled(service: Service, step: Step, moment: datetime) -> bool:
    """Whether the functions that the step changes have been without traffic for the settle time (invariant 2)."""
    return settled_at(service, step) <= moment


def settled_at(service: Service, step: Step) -> datetime:
    """When the functions that the step changes have been, or will have been, without traffic for the settle time."""
    colors = changed_colors(Transition(step.transition), service.state) if service.set_up_at else frozenset()
    ends = [getattr(service, f"{color.value}_traffic_ended_at") for color in colors]
    settle = timedelta(seconds=service.settle_seconds)
    return max((end + settle for end in ends if end), default=step.created_at)


def _bring_forward(service: Service, step: Step, actor: Actor) -> None:
    gate = gates.ask(service, step)
    _plan_if_due(service, step, gate, actor)
    ready = gate and (step.started_at or step.automatic) and gate.is_open
    if gate and ready and not is_held(service, step) and not gate.frozen:
        if not step.started_at:
            _start_by_itself(service, step)
        _apply(step, actor=actor)


def _plan_if_due(service: Service, step: Step, gate: Gate | None, actor: Actor) -> None:
    if (
        step.status == StepStatus.PENDING
        and gate is None
        and not is_held(service, step)
        and settled(service, step, moment=now())
    ):
        plan(service, step, actor=actor, action="step.planning")


def _start_by_itself(service: Service, step: Step) -> None:
    step.started_at = now()
    step.save(update_fields=["started_at"])
    record(service, step, actor=SYSTEM, action="step.started", reason="It starts by itself.")


def _apply(step: Step, *, actor: Actor) -> None:
    run = claims.queue_run(
        workspace=str(step.service_id),
        operation=Operation.APPLY,
        plan_run=step.plan_run,
        urgent=_is_urgent(step),
    )
    StepRun.objects.create(step=step, run=run)
    change_step(step, StepStatus.APPLYING, actor=actor, action="step.applying", apply_run=run)
    dispatch.send_run(run.pk, urgent=run.urgent)


def _is_urgent(step: Step) -> bool:
    """What follows the emergency button never waits behind other services' runs."""
    return step.transition == Transition.ROLLBACK


def _finish_release(service: Service, *, actor: Actor) -> None:
    release = selectors.open_release(service)
    if release:
        change_release(release, ReleaseStatus.PROMOTED, actor=actor, action="release.promoted")
