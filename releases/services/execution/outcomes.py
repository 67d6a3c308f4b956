"""Records what came of a run: each function is one transaction under the service's lock.

A run whose step has gone on without it (an emergency, another plan) is ended without any effect on the step.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from releases import dispatch
from releases.domain.lifecycle import StepStatus
from releases.domain.observed.reality import Difference, Reality
from releases.domain.plans.expectation import HEADER_RULE, SLOT_RULES
from releases.domain.plans.guard import Expectation, Refusal
from releases.domain.traffic import Color, TrafficState, Transition, changed_colors
from releases.models import Service, Step
from releases.services import rollout, states
from releases.services.execution import run_events
from releases.services.execution.patience import patient
from releases.services.lifecycle import SYSTEM, change_step, locked, now
from releases.services.provisioning import managed
from releases.services.provisioning.settings_columns import record_settings
from terraform_runner import claims, leases, selectors
from terraform_runner.domain.redaction import Redactor
from terraform_runner.domain.results import Applied, Planned
from terraform_runner.domain.runs import RunStatus
from terraform_runner.errors import RunnerError, StateUnsaved, TerraformKilled
from terraform_runner.models import Run
from terraform_runner.points import Point, reached

_MAKES_STABLE_SAFE = frozenset({Transition.SET_UP, Transition.ROTATE_STABLE, Transition.SWAP_COLORS})

# A plan that never fits what is real would be made for ever.
MOST_RUNS_PER_STEP = 20
# A run that kills its worker would kill every other one too.
MOST_LOST_RUNS_PER_STEP = 3


@patient
def plan_made(
    run: Run,
    step: Step,
    planned: Planned,
    expectation: Expectation,
    reality: Reality | None,
    *,
    rest_of: str = "",
) -> None:
    """The plan passed the guard: it waits for its gate and its start, or is applied at once.

    ``rest_of`` is the changes digest of the approved plan whose changes this one's are a rest of, if there is one.
    """
    with _current(run, step) as (service, current):
        _finish(service, step, run, planned)
        if current:
            change_step(
                current,
                StepStatus.WAITING,
                actor=SYSTEM,
                action="step.planned",
                state_before=states.to_json(expectation.before),
                state_after=states.to_json(expectation.after),
                versions_before=reality.alias_versions if reality else {},
                rest_of=rest_of,
            )
            rollout.advance(service)


@patient
def plan_refused(
    run: Run, step: Step, planned: Planned, refusals: Sequence[Refusal], *, redactor: Redactor
) -> None:
    """The guard refused the plan, which it sees in the clear: the step has failed, with each reason in words."""
    with _current(run, step) as (service, current):
        reasons = [redactor.mask(str(refusal)) for refusal in refusals]
        _finish(service, step, run, planned, reasons)
        if current:
            _fail(current, "plan:refused", "\n".join(reasons))


@patient
def plan_is_empty(
    run: Run,
    step: Step,
    planned: Planned,
    expectation: Expectation,
    reality: Reality,
    differences: Sequence[Difference],
) -> None:
    """Nothing is to be changed: done where what is real is what is wanted, without a gate."""
    with _current(run, step) as (service, current):
        _finish(service, step, run, planned)
        if current:
            _judge(service, current, expectation, reality, differences)


@patient
def plan_again(run: Run, step: Step, problem: RunnerError) -> None:
    """The apply was refused before anything was changed: a new plan is made from what is real now."""
    with _current(run, step) as (service, current):
        _finish(service, step, run, problem)
        if current and current.step_runs.count() >= MOST_RUNS_PER_STEP:
            _fail(
                current,
                "plan:too-often",
                f"Planned {MOST_RUNS_PER_STEP} times without an apply. Last: {problem}",
            )
        elif current:
            rollout.plan(service, current, actor=SYSTEM, action="step.planned-again", reason=str(problem))


@patient
@transaction.atomic
def learn_addresses(run: Run, service: Service, outputs: Mapping[str, Any]) -> Service:
    """After rules were made: where the service's rules, groups and functions are, from Terraform's outputs.

    Raises HoldLost if this worker does not hold the run any more.
    """
    leases.refuse_unless_held(run)
    if outputs:
        learned = [
            "traffic_rule_arn",
            "canary_rule_arn",
            "blue_target_group_arn",
            "green_target_group_arn",
            "blue_function_name",
            "green_function_name",
        ]
        for name in learned:
            setattr(service, name, outputs[name])
        service.more_canary_rule_arns = _more_canary_rules(outputs)
        service.save(update_fields=[*learned, "more_canary_rule_arns"])
    return service


def _more_canary_rules(outputs: Mapping[str, Any]) -> dict[str, str]:
    """The rules of the slots after the first, and the header's; Terraform leaves an output out that is null."""
    arns = outputs.get("canary_rule_arns", [])
    slots = dict(zip(SLOT_RULES[1 : len(arns)], arns[1:], strict=True))
    header = outputs.get("header_rule_arn")
    return slots | ({HEADER_RULE: header} if header else {})


@patient
def applied(
    run: Run,
    step: Step,
    result: Applied,
    expectation: Expectation,
    reality: Reality,
    differences: Sequence[Difference],
) -> None:
    """Terraform has applied the plan: the step is done where what is real is what was wanted."""
    with _current(run, step) as (service, current):
        _finish(service, step, run, result)
        if current:
            _judge(service, current, expectation, reality, differences)


@patient
def removed(run: Run, step: Step, result: Planned | Applied, left: Sequence[str]) -> None:
    """A removal has come to its end: the service is removed where nothing of it is left at AWS."""
    with _current(run, step) as (service, current):
        _finish(service, step, run, result)
        if current:
            run_events.read_back(service, current, None, left)
        if current and left:
            _fail(current, "verify:left", "Still there: " + "; ".join(left))
        elif current:
            moment = now()
            change_step(current, StepStatus.DONE, actor=SYSTEM, action="step.verified", ended_at=moment)
            managed.mark_removed(service, actor=SYSTEM, reason=current.reason)


@patient
def run_failed(run: Run, step: Step, problem: RunnerError) -> None:
    """The run ended without its result: its step has failed, and says why."""
    with _current(run, step) as (service, current):
        _finish(service, step, run, problem)
        if current:
            _fail(current, problem.code, problem.message)


@patient
def run_lost(run: Run, step: Step) -> None:
    """The run's process is gone: its step is planned again from what is real now."""
    with _current(run, step) as (service, current):
        run_events.run_ended(service, step, run)
        if current:
            _go_on_or_give_up(service, current, run.error_message)


@patient
def run_cut_short(run: Run, step: Step, problem: TerraformKilled | StateUnsaved) -> None:
    """The worker lives, but nobody knows what Terraform has done: planned again from what is real, as a lost run is."""
    with _current(run, step) as (service, current):
        _finish(service, step, run, problem)
        if current:
            _go_on_or_give_up(service, current, problem.message)


def _go_on_or_give_up(service: Service, step: Step, reason: str) -> None:
    if _times_cut_short(step) < MOST_LOST_RUNS_PER_STEP:
        rollout.plan(service, step, actor=SYSTEM, action="step.planned-again", reason=reason)
        return
    _fail(
        step,
        "run:lost-too-often",
        f"{MOST_LOST_RUNS_PER_STEP} of its runs came to no end: they were killed, lost with their workers, or could "
        "not write the state. Look whether the workers have enough memory (docs/workers.md) and reach the state, and "
        f"then try again. The last one: {reason}",
    )


def _times_cut_short(step: Step) -> int:
    killed = Q(run__error_code__in=[TerraformKilled.code, StateUnsaved.code])
    return step.step_runs.filter(killed | Q(run__status=RunStatus.LOST)).count()


def waits_for(step: Step, run: Run) -> bool:
    """Whether this run is the one that the step is waiting for."""
    waited_for = {StepStatus.PLANNING: step.plan_run_id, StepStatus.APPLYING: step.apply_run_id}
    return waited_for.get(StepStatus(step.status)) == run.pk


@contextmanager
def _current(run: Run, step: Step) -> Iterator[tuple[Service, Step | None]]:
    """The locked service, and the step if it still waits for this run; then wakes the runs that this one held up."""
    with locked(step.service_id) as service:
        fresh = Step.objects.select_related("service", "release", "plan_run").get(pk=step.pk)
        yield service, fresh if waits_for(fresh, run) and fresh.epoch == service.epoch else None
        wake_queued(service)
        reached(Point.BEFORE_COMMIT)


def wake_queued(service: Service) -> None:
    """Tell the workers of the runs that another one has held up."""
    for queued in selectors.list_runs(str(service.pk)).filter(status=RunStatus.QUEUED):
        dispatch.send_run(queued.pk, urgent=queued.urgent)


def _finish(
    service: Service,
    step: Step,
    run: Run,
    outcome: Planned | Applied | RunnerError,
    refusals: Sequence[str] = (),
) -> None:
    claims.finish(run, outcome)
    run_events.run_ended(service, step, run, refusals)


def _judge(
    service: Service,
    step: Step,
    expectation: Expectation,
    reality: Reality,
    differences: Sequence[Difference],
) -> None:
    """Whether the step has come to its end: what was read back is what was wanted."""
    run_events.read_back(service, step, reality, differences)
    if differences:
        _fail(step, "verify:differs", "\n".join(map(str, differences)))
    else:
        _verified(service, step, expectation, reality)


def _fail(step: Step, code: str, problem: str) -> None:
    change_step(
        step,
        StepStatus.FAILED,
        actor=SYSTEM,
        action="step.failed",
        reason=problem,
        problem_code=code,
        problem=problem,
    )


def _verified(service: Service, step: Step, expectation: Expectation, reality: Reality) -> None:
    moment = now()
    _record_state(service, step, expectation, reality)
    bakes = step.bake_seconds > 0
    change_step(
        step,
        StepStatus.BAKING if bakes else StepStatus.DONE,
        actor=SYSTEM,
        action="step.verified",
        state_before=states.to_json(expectation.before),
        state_after=states.to_json(expectation.after),
        bake_until=moment + timedelta(seconds=step.bake_seconds) if bakes else None,
        ended_at=None if bakes else moment,
    )
    rollout.advance(service)


def _record_state(service: Service, step: Step, expectation: Expectation, reality: Reality) -> None:
    """What was read back becomes the recorded state; a function that lost its traffic begins to settle."""
    moment, after = now(), expectation.after
    for color in Color:
        _record_color(service, step, color, after, reality)
        if expectation.before.receives_traffic(color) and not after.receives_traffic(color):
            setattr(service, f"{color.value}_traffic_ended_at", moment)
    service.active_color = after.active_color.value
    service.green_weight = after.green_weight
    service.activate_canary = after.activate_canary
    service.active_canary_addresses = list(after.canary_addresses)
    service.promoted_at = _promoted_at(service, expectation, moment)
    if step.transition in _MAKES_STABLE_SAFE:
        service.safe_color = after.stable.value
    if step.transition == Transition.SET_UP:
        service.set_up_at = moment
    if step.transition in {Transition.SETTINGS, Transition.ROLLBACK} and expectation.settings:
        record_settings(service, expectation.settings.after)
    service.save()


def _promoted_at(service: Service, expectation: Expectation, moment: datetime) -> datetime | None:
    """Since when there is an old version to go back to: none once a function was changed, or the users went back."""
    before, after = expectation.before, expectation.after
    if expectation.transition is Transition.PROMOTE:
        return moment
    went_back = expectation.transition is Transition.ROLLBACK and before.green_weight != after.green_weight
    return None if went_back or changed_colors(expectation.transition, before) else service.promoted_at


def _record_color(service: Service, step: Step, color: Color, after: TrafficState, reality: Reality) -> None:
    version = after.version_of(color)
    setattr(service, f"{color.value}_tag", _tag(service, step, version.image))
    setattr(service, f"{color.value}_image", version.image)
    setattr(service, f"{color.value}_configuration", dict(version.configuration))
    setattr(service, f"{color.value}_function_version", reality.color(color).alias_version)


def _tag(service: Service, step: Step, image: str) -> str:
    """The name that people gave an image, as far as this service's records know it."""
    known = {service.blue_image: service.blue_tag, service.green_image: service.green_tag}
    if step.release is not None:
        known[step.release.image] = step.release.tag
    return known.get(image, "")
