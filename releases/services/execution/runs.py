"""The way of one run: claim, plan, guard, keep; or compare with reality, check once more, apply, verify.

Everything slow happens outside of transactions; what is decided on it is checked again under the service's lock.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from uuid import UUID

from django.conf import settings

from audit.context import acting_in
from aws.accounts import Purpose
from aws.errors import AwsError
from releases import push, selectors
from releases.domain.access.decisions import Refused
from releases.domain.errors import DomainError
from releases.domain.observed.reality import Difference, Reality, differences_from_plan, not_ready, verify
from releases.domain.plans import guard
from releases.domain.plans.expectation import TRAFFIC_RULE
from releases.domain.plans.guard import Expectation
from releases.domain.traffic import Color, Transition, changed_colors, safe_color
from releases.models import Service, Step
from releases.services import rollout
from releases.services.approval import gates, rests
from releases.services.errors import DatabaseAway, PlanOutdated, StepFailed, as_runner_error
from releases.services.execution import (
    expectations,
    half_published,
    left_locks,
    outcomes,
    storage,
    unsaved_states,
)
from releases.services.execution.accounts import credentials_for_run
from releases.services.execution.patience import DATABASE_AWAY, patient
from releases.services.execution.realities import read_reality
from releases.services.execution.waking import read_awake
from releases.services.execution.workspaces import runner_settings, with_imports, without_module, workspace
from releases.services.lifecycle import SYSTEM, locked, now, record
from releases.services.provisioning import listeners, log_groups, removals, unfinished_set_up
from releases.services.provisioning.settings_columns import begin_settings
from releases.services.rollback import emergency, offline, rehearsed_plans
from releases.services.versions import moved_tags
from terraform_runner import claims, executor, handing_over, leases
from terraform_runner.domain.plan import Plan
from terraform_runner.domain.redaction import Redactor
from terraform_runner.domain.runs import Operation
from terraform_runner.errors import (
    HoldLost,
    PlanStale,
    RunCancelled,
    RunnerError,
    StateUnsaved,
    TerraformKilled,
)
from terraform_runner.executor import Workspace
from terraform_runner.hold import Hold
from terraform_runner.models import Run
from terraform_runner.points import Point, reached
from terraform_runner.selectors import last_state

logger = logging.getLogger(__name__)

# AWS does not promise that what was written is read back at once: read again for so long, then it failed.
VERIFY_ATTEMPTS = 10
VERIFY_PAUSE_SECONDS = 0.5


def execute(run_id: UUID, *, worker: str) -> None:
    """Execute a queued run. A run that somebody else took, or whose service is held, is left alone."""
    reached(Point.BEFORE_CLAIM)
    run = claims.claim(
        run_id,
        worker=worker,
        lease_seconds=settings.LEASE_SECONDS,
        grace_seconds=settings.TERRAFORM_GRACE_SECONDS,
    )
    if run is None:
        logger.info("run %s is not to be taken now: taken already, ended, or its service is held", run_id)
        return
    with acting_in(run_id=str(run.pk)):
        _execute_claimed(run)


def _execute_claimed(run: Run) -> None:
    reached(Point.AFTER_CLAIM)
    service, what, work, end = _errand(run)
    push.service_changed(service.pk)
    logger.info("run %s begins: %s of %s for %s", run.pk, run.operation, what, service)
    try:
        with Hold(
            run,
            lease_seconds=settings.LEASE_SECONDS,
            on_lines=push.lines_added,
            whole_log=storage.whole_log(run.pk),
        ) as hold:
            _carry_out(run, partial(work, hold), end)
            reached(Point.RECORDED)
    except HoldLost:
        logger.warning("run %s is not held by this worker any more", run.pk)
    else:
        run.refresh_from_db()
        logger.info("run %s ended: %s %s", run.pk, run.status, run.error_code)


def _errand(run: Run) -> tuple[Service, str, Callable[[Hold], None], Callable[[RunnerError], None]]:
    """For which service a run is and what of it, what is to be done, and how it is recorded that this failed."""
    if rehearsal := rehearsed_plans.find(run):
        service = rehearsal.service
        make = partial(rehearsed_plans.make, run, service, workspace_of=_workspace)
        return service, "a rehearsal", make, partial(rehearsed_plans.finish, run, service.pk)
    step = selectors.step_of_run(run)
    return step.service, str(step), partial(_work, run, step), partial(_end, run, step)


def _carry_out(run: Run, work: Callable[[], None], end: Callable[[RunnerError], None]) -> None:
    """Do what the run is for, and record that it ended without its result where it has none."""
    try:
        work()
    except HoldLost:
        raise  # nothing more is recorded: whoever takes over sees what has become of it
    except DATABASE_AWAY as error:
        logger.exception("run %s could not ask the database", run.pk)
        end(DatabaseAway(f"The database was away in the middle of this run: {error}"))
    except (RunnerError, AwsError, DomainError) as error:
        end(as_runner_error(error))
    except Exception:
        end(StepFailed("bluegreen:unexpected", "Something unexpected happened: the worker's log has it."))
        raise


def _work(run: Run, step: Step, hold: Hold) -> None:
    if not outcomes.waits_for(step, run):
        raise RunCancelled("Its step has gone on without it.")
    (_plan if run.operation == Operation.PLAN else _apply)(run, step, hold)


def _end(run: Run, step: Step, problem: RunnerError) -> None:
    """Without its result: some problems need another plan, others a person."""
    match problem:
        case PlanOutdated() | PlanStale() | DatabaseAway():
            outcomes.plan_again(run, step, problem)
        case RunCancelled() if handing_over.is_asked():  # for its worker's sake: another one goes on with it
            outcomes.plan_again(run, step, problem)
        case TerraformKilled() | StateUnsaved():
            outcomes.run_cut_short(run, step, problem)
        case _:
            outcomes.run_failed(run, step, problem)


def _plan(run: Run, step: Step, hold: Hold) -> None:
    service = Service.objects.get(pk=step.service_id)
    listeners.learn_scheme(service)
    moved_tags.look(service, step)
    removes = step.transition == Transition.REMOVE
    reality = read_reality(service) if service.set_up_at and not removes else None
    expectation = expectations.of_step(service, step, reality)
    expectation = replace(expectation, unfinished=unfinished_set_up.find(service, expectation))
    imports = {**log_groups.to_import(service, expectation), **expectation.unfinished}
    made = with_imports(_workspace(run, service, expectation, Purpose.READ), imports)
    # Made anew it would be deleted first; what an interrupted set-up has made is imported instead.
    given = replace(made, forgets_tainted=step.transition == Transition.SET_UP)
    planned = executor.plan(run_id=run.pk, workspace=given, settings=runner_settings(), control=hold)
    refusals = guard.check_plan(planned.plan, expectation)
    if refusals:
        outcomes.plan_refused(run, step, planned, refusals, redactor=Redactor(given.secrets))
    elif removes and guard.changes_nothing(planned.plan):
        outcomes.removed(run, step, planned, removals.what_is_left(service))
    elif (
        reality is not None and guard.changes_nothing(planned.plan) and not _makes_rules(service, expectation)
    ):
        half_published.publish(run, step, expectation, reality)
        differences = verify(
            expectation.after, expectation, reality, versions_before=_versions_before(step, service, reality)
        )
        outcomes.plan_is_empty(run, step, planned, expectation, reality, differences)
    else:
        rest_of = rests.approved_before(step, planned)
        outcomes.plan_made(run, step, planned, expectation, reality, rest_of=rest_of)


def _workspace(run: Run, service: Service, expectation: Expectation, purpose: Purpose) -> Workspace:
    """With credentials for this run alone, and its state free of the lock that a dead run may have left."""
    state = storage.state(service.pk, run_id=run.pk)
    left_locks.free(state, service, run)
    made = workspace(
        service,
        expectation.after,
        settings_after=expectation.settings.after if expectation.settings else None,
        credentials=credentials_for_run(service, purpose, run.pk),
        kept_in=state,
        last_state=last_state(str(service.pk)),
        unsaved=unsaved_states.find(service),
    )
    return without_module(made) if expectation.transition is Transition.REMOVE else made


def _versions_before(step: Step, service: Service, reality: Reality) -> dict[Color, str]:
    """A rollback takes the functions as they are; anything else has to find them as they were recorded."""
    if step.transition == Transition.ROLLBACK:
        return {color: reality.color(color).alias_version for color in Color}
    return service.function_versions


def _apply(run: Run, step: Step, hold: Hold) -> None:
    service = Service.objects.get(pk=step.service_id)
    expectation = expectations.of_kept_plan(service, step)
    plan_run = selectors.plan_run_of(run)
    try:
        result = executor.apply(
            run_id=run.pk,
            plan_sha256=plan_run.plan_sha256,
            document_sha256=plan_run.document_sha256,
            workspace=_workspace(run, service, expectation, Purpose.WRITE),
            settings=runner_settings(),
            control=hold,
            wants_outputs=_makes_rules(service, expectation),
            before_apply=partial(_check_before_apply, run, hold, expectation),
        )
    finally:
        patient(emergency.keep_traffic_back)(step)
    if step.transition == Transition.REMOVE:
        outcomes.removed(run, step, result, removals.what_is_left(service))
        return
    service = outcomes.learn_addresses(run, service, result.outputs)
    expectation = expectations.of_kept_plan(service, step)
    reality, differences = _verify(service, expectation, step.versions_before)
    reached(Point.VERIFIED)
    outcomes.applied(run, step, result, expectation, reality, differences)


def _makes_rules(service: Service, expectation: Expectation) -> bool:
    """Whether there are rules afterwards whose ARNs are not known yet: at a set-up, and where slots are added.

    They are told by an apply alone: also by one that has nothing left to do, after one that died when it had made them.
    """
    return not {TRAFFIC_RULE, *expectation.canary_rules} <= {
        rule for rule, arn in service.rule_arns.items() if arn
    }


def _check_before_apply(run: Run, hold: Hold, expectation: Expectation, plan: Plan) -> None:
    """The last look: Terraform notices neither changed weights nor a plan that was applied already."""
    step = selectors.step_of_run(run)
    if step.transition == Transition.REMOVE:
        removals.refuse_in_use(step)
    elif step.service.set_up_at is not None:
        _compare_with_reality(step.service, expectation, plan, hold)
    with locked(step.service_id) as service:
        step = selectors.step_of_run(run)
        _refuse_if_overtaken(service, step, run, hold)
        claims.use_plan(selectors.plan_run_of(run))
        if step.transition == Transition.ROTATE_STABLE:
            _note_safe_color(service)
        if step.transition == Transition.SETTINGS:
            begin_settings(service, step)
        _refuse_to_change_the_safe_color(service, step)
        _record_start(service, step, run)
    if changed_colors(Transition(step.transition), step.service.state):
        offline.write_or_refuse()


def _record_start(service: Service, step: Step, run: Run) -> None:
    plan = selectors.plan_run_of(run)
    after = {"safe_color": service.safe_color, "run": str(run.pk), "plan_sha256": plan.plan_sha256}
    record(service, step, actor=SYSTEM, action="step.apply-started", after=after)


def _compare_with_reality(service: Service, expectation: Expectation, plan: Plan, hold: Hold) -> None:
    """Nothing has changed since the plan was made, and who is going to be sent traffic can serve it."""
    reality = read_awake(service, expectation, should_stop=hold.should_stop)
    differences = differences_from_plan(plan, reality, expectation)
    if differences:
        raise PlanOutdated("Changed at AWS since the plan was made: " + "; ".join(map(str, differences)))
    problems = not_ready(expectation, reality)
    if problems:
        said = "; ".join(map(str, problems))
        raise StepFailed("step:not-ready", f"Nobody was sent anywhere, since it could not serve: {said}.")


def _refuse_if_overtaken(service: Service, step: Step, run: Run, hold: Hold) -> None:
    leases.refuse_unless_held(run)
    stop = hold.should_stop()
    if stop or not outcomes.waits_for(step, run) or step.epoch != service.epoch:
        raise RunCancelled(stop or "Its step has gone on without it.")
    for gate in gates.gates_before(service, step):
        if not gate.is_open and isinstance(gate.answer, Refused):
            raise PlanOutdated(f"It may not be applied any more. {gate.answer.reason}")
        if gate.frozen:
            raise PlanOutdated(f"{gate.frozen} It was not applied before that began.")
    if rollout.is_held(service, step):
        raise PlanOutdated("The release was paused before this apply began.")
    if not rollout.settled(service, step, now()):
        raise PlanOutdated("A function that it changes had traffic too short a time ago.")


def _refuse_to_change_the_safe_color(service: Service, step: Step) -> None:
    """Whatever went before: the function that a rollback leads to is never changed (invariant 8)."""
    if Color(service.safe_color) in changed_colors(Transition(step.transition), service.state):
        raise StepFailed(
            "step:safe-color",
            f"It would change {service.safe_color}, which a rollback leads to now. Roll back, and request it again.",
        )


def _note_safe_color(service: Service) -> None:
    """Until the stable function is verified again, the promoted version is the only one to go back to (invariant 8)."""
    state = service.state
    service.safe_color = safe_color(state, stable_is_being_changed=True).value
    service.save(update_fields=["safe_color"])


def _verify(
    service: Service, expectation: Expectation, versions: dict[str, str]
) -> tuple[Reality, tuple[Difference, ...]]:
    versions_before = {Color(color): version for color, version in versions.items()}
    for attempt in range(VERIFY_ATTEMPTS):
        reality = read_reality(service)
        differences = verify(expectation.after, expectation, reality, versions_before=versions_before)
        differences += log_groups.differences(service, expectation)
        if not differences or attempt == VERIFY_ATTEMPTS - 1:
            break
        time.sleep(VERIFY_PAUSE_SECONDS)
    return reality, differences
