"""A run's lease: its worker holds it for so long after each heartbeat, by the database's clock.

Who holds it may be gone, stopped or cut off. Its launcher ends Terraform half a lease after the last heartbeat, within
a grace period; so whoever waits for a lease and that grace can take over. Both are in the run as its worker has them:
whoever takes over may go by others.
"""

from datetime import timedelta

from django.db.models import DateTimeField, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce, Now

from terraform_runner.domain.runs import RunStatus
from terraform_runner.domain.tools import Tools
from terraform_runner.errors import HoldLost
from terraform_runner.models import Run

LEASE_SECONDS, GRACE_SECONDS = 45.0, 30.0
# A heartbeat that is so far ahead is from before a clock was set back: nobody renews its lease.
AHEAD_SECONDS = 30.0


def renew(run: Run, *, lease_seconds: float) -> bool:
    """Hold a run for so long from now on. False if it was ended by somebody else."""
    now = {"heartbeat_at": Now(), "lease_until": after(lease_seconds)}
    return running(run).update(**now) == 1


def refuse_unless_held(run: Run) -> None:
    """Raise HoldLost unless this worker holds the run now; in a transaction, until its end."""
    if not running(run).filter(lease_until__gt=Now()).select_for_update().exists():
        raise HoldLost("This worker does not hold the run any more, so it does nothing more.")


def note_process(run: Run, *, group: int, started: float) -> None:
    """Write down what runs, so that it can be ended by another process. Raises HoldLost."""
    _note(run, process_group=group, process_started=started)


def note_tools(run: Run, tools: Tools) -> None:
    """Write down by what it is done. Raises HoldLost."""
    _note(run, command=tools.command, terraform_version=tools.terraform, providers=dict(tools.providers))


def _note(run: Run, **values: object) -> None:
    held = running(run).filter(lease_until__gt=Now())
    if held.update(**values) != 1:
        raise HoldLost("This worker does not hold the run any more, so it starts nothing.")


def list_expired() -> QuerySet[Run]:
    """Runs whose hold was over so long ago that their worker's launcher must have ended Terraform."""
    until = Coalesce("lease_until", "heartbeat_at") + F("grace")
    over = Q(until__lt=Now()) | Q(heartbeat_at__gt=after(AHEAD_SECONDS))
    running = Run.objects.filter(status=RunStatus.RUNNING)
    return running.alias(until=ExpressionWrapper(until, output_field=DateTimeField())).filter(over)


def begin_to_end(run: Run, *, patience_seconds: float) -> bool:
    """Whether the caller is the one who ends a run's processes: nobody else does, or has for so long.

    Who began at a time that is yet to come did so before the clock was set back, and is not waited for.
    """
    over = Q(ending_since__lt=after(-patience_seconds)) | Q(ending_since__gt=after(patience_seconds))
    nobody = Q(ending_since=None) | over
    return running(run).filter(nobody).update(ending_since=Now()) == 1


def after(seconds: float) -> CombinedExpression:
    """The moment so many seconds after now, by the database's clock."""
    return Now() + Value(timedelta(seconds=seconds))


def running(run: Run) -> QuerySet[Run]:
    """The run, while the worker that claimed it has it."""
    return Run.objects.filter(pk=run.pk, worker=run.worker, status=RunStatus.RUNNING)
