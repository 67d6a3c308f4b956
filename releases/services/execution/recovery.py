"""What the scheduler does, and the supervisor at its start: nothing waits for a lost message or a dead process."""

import logging

from django.conf import settings

from releases import dispatch, selectors
from releases.models import Step
from releases.services import rollout
from releases.services.approval import waits
from releases.services.execution import moved_clock, outcomes, storage
from releases.services.execution.workspaces import runner_settings
from releases.services.lifecycle import locked
from releases.services.rollback import emergency, following
from terraform_runner import claims, clocks, executor, reaper, workers, working_dir
from terraform_runner import selectors as runs
from terraform_runner.models import Run
from terraform_runner.points import Point, reached

logger = logging.getLogger(__name__)

UNSENT_AFTER_SECONDS = 5.0
WATCH_SECONDS = 30.0


def sweep() -> None:
    """End what a dead worker left, send again what was never taken, bring forward what is due.

    Idempotent; two at once do no harm.
    """
    end_lost_runs()
    watch_taken_over()
    put_away_left()
    workers.forget_silent()
    resend()
    following.follow_again()
    for service_id in selectors.services_with_gates_to_look_at():
        waits.look_again(service_id)
    for service_id in selectors.services_with_something_due():
        with locked(service_id) as service:
            rollout.advance(service)


def resend() -> None:
    """Tell the workers again about runs that nobody has taken for a while: their message may be lost."""
    unsent = list(runs.list_unsent(older_than_seconds=UNSENT_AFTER_SECONDS))
    claims.mark_sent([run.pk for run in unsent])
    for run in unsent:
        dispatch.send_run(run.pk, urgent=run.urgent)


def end_lost_runs() -> list[Run]:
    """End the runs whose process is gone on this host, or whose worker anywhere was silent for too long.

    Their steps are planned again. Gives the runs that were lost; what a process that was itself killed between the two
    has left is found by its step.
    """
    host = claims.worker_host()
    reaper.end_orphans(worker_host=host)
    if clocks.can_be_trusted(lease_seconds=settings.LEASE_SECONDS, on_jump=moved_clock.go_on):
        reaper.take_over(worker_host=host)
    return [_plan_again(run, step) for run, step in selectors.lost_runs()]


def watch_taken_over() -> None:
    """Set the rules again where a worker that was cut off moves them still, after an emergency rollback.

    What it had asked AWS for before its Terraform was ended is in force within this time.
    """
    for run in runs.list_taken_over(within_seconds=WATCH_SECONDS):
        emergency.keep_traffic_back(selectors.step_of_run(run))


def put_away_left() -> None:
    """Remove what runs have left here that another host has taken over: there are secrets in it."""
    runner = runner_settings()
    for run_id in runs.ended_among(working_dir.list_left(runner.data_root)):
        unsaved_state = executor.put_away(run_id, runner)
        if unsaved_state:
            logger.warning("run %s has left a state that is nowhere else, in %s", run_id, unsaved_state)


def _plan_again(run: Run, step: Step) -> Run:
    reached(Point.LOST)
    executor.put_away(run.pk, runner_settings())
    emergency.keep_traffic_back(step)
    outcomes.run_lost(run, step)
    storage.whole_log(run.pk).close()
    return run
