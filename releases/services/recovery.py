"""What the scheduler does, and the supervisor at its start: nothing waits for a lost message or a dead process."""

from django.conf import settings

from releases import dispatch, selectors
from releases.models import Step
from releases.services import emergency, outcomes, rollout, storage
from releases.services.lifecycle import locked
from releases.services.workspaces import runner_settings
from terraform_runner import claims, clocks, executor, reaper
from terraform_runner import selectors as runs
from terraform_runner.models import Run

UNSENT_AFTER_SECONDS = 5.0


def sweep() -> None:
    """End what a dead worker left, send again what was never taken, bring forward what is due.

    Idempotent; two at once do no harm.
    """
    end_lost_runs()
    resend()
    for service_id in selectors.services_with_something_due():
        with locked(service_id) as service:
            rollout.advance(service)


def resend() -> None:
    """Tell the workers again about runs that nobody has taken for a while: their message may be lost."""
    unsent = list(runs.list_unsent(older_than_seconds=UNSENT_AFTER_SECONDS))
    claims.mark_sent([run.pk for run in unsent])
    for run in unsent:
        dispatch.send_run(run.pk)


def end_lost_runs() -> list[Run]:
    """End the runs whose process is gone on this host, or whose worker anywhere was silent for too long.

    Their steps are planned again. Gives the runs that were lost; what a process that was itself killed between the two
    has left is found by its step.
    """
    host, grace_seconds = claims.worker_host(), settings.TERRAFORM_GRACE_SECONDS
    reaper.end_orphans(worker_host=host, grace_seconds=grace_seconds)
    if clocks.can_be_trusted(lease_seconds=settings.LEASE_SECONDS):
        reaper.take_over(worker_host=host, lease_seconds=settings.LEASE_SECONDS, grace_seconds=grace_seconds)
    return [_plan_again(run, step) for run, step in selectors.lost_runs()]


def _plan_again(run: Run, step: Step) -> Run:
    unsaved_state = executor.put_away(run.pk, runner_settings())
    emergency.keep_traffic_back(step)
    outcomes.run_lost(run, step, unsaved_state=unsaved_state)
    storage.whole_log(run.pk).close()
    return run
