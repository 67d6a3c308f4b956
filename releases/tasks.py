"""Celery's side: each task is one call of a service, and may come twice."""

from uuid import UUID

from celery import shared_task

from releases import echo, worker_life  # noqa: F401 - its signals are connected where the tasks are
from releases.services import kept_answers
from releases.services.execution import pruning, recovery, runs
from releases.services.messaging import outbox
from releases.services.reports import checkpoints
from releases.services.rollback import counts, fresh_looks, offline, readiness
from terraform_runner.claims import worker_name


@shared_task(name="releases.execute_run")
def execute_run(run_id: str) -> None:
    """Execute a queued run, unless somebody else has taken it."""
    runs.execute(UUID(run_id), worker=worker_name())


@shared_task(name="releases.sweep")
def sweep() -> None:
    """Do what is due, and send again what was lost."""
    recovery.sweep()


@shared_task(name=echo.TASK)
def hear_echo() -> None:
    """Nothing: that it was received is what counts."""


@shared_task(name="releases.check_readiness")
def check_readiness() -> None:
    """Look at the functions that may have to take over."""
    readiness.check_due()


@shared_task(name="releases.count_traffic")
def count_traffic() -> None:
    """See in the load balancer's counts whether rollbacks have brought everybody back."""
    counts.count_due()


@shared_task(name="releases.look_at_readiness")
def look_at_readiness(service_id: str) -> None:
    """Look at one of them now, for somebody who has the emergency button's page open."""
    fresh_looks.look(UUID(service_id))


@shared_task(name="releases.write_offline_file")
def write_offline_file() -> None:
    """Keep the file up to date that the emergency button needs without a database."""
    offline.write()


@shared_task(name="releases.prune")
def prune() -> None:
    """Remove plans and messages that nobody can need any more, and answers that nobody can ask for again."""
    pruning.prune_plans()
    kept_answers.prune()
    outbox.prune()


@shared_task(name="releases.deliver_messages")
def deliver_messages() -> None:
    """Tell people what has happened."""
    outbox.work()


@shared_task(name="releases.make_checkpoint")
def make_checkpoint() -> None:
    """Sign the audit trail's present end."""
    checkpoints.make()
