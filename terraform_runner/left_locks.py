"""The lock that a dead run of ours has left on a state in a bucket: found by the history of runs, and taken away.

Only who holds a workspace's run may call these: then no other run of it is alive.
"""

import os
import pwd

from terraform_runner.domain.runs import ENDED_STATUSES, Operation, RunStatus
from terraform_runner.domain.state_lock import EndedRun, StateLock, is_left_by, parse_lock
from terraform_runner.errors import StateLocked
from terraform_runner.models import Run
from terraform_runner.state import LOCK_OBJECT, State

# A lock is found by the next run, or by the one that a person asks for after a while.
MOST_RUNS = 50


def find(state: State) -> StateLock | None:
    """The lock on a state; None if there is none. On a file nothing is left: its lock ends with the process."""
    content = state.objects.get(LOCK_OBJECT)
    return parse_lock(content) if content else None


def owner_of(lock: StateLock, workspace: str) -> Run | None:
    """The ended run of this workspace that has left the lock; None if it is somebody else's."""
    ended = Run.objects.filter(workspace=workspace, status__in=ENDED_STATUSES - {RunStatus.SUCCEEDED})
    # Such a run has met the lock of somebody else, at the same time and perhaps on the same machine.
    ended = ended.exclude(error_code=StateLocked.code)
    return next(
        (run for run in ended.order_by("-ended_at")[:MOST_RUNS] if is_left_by(_ended(run), lock)), None
    )


def remove(state: State, lock: StateLock) -> None:
    """Take the lock away, if it is this one still."""
    if find(state) == lock:
        state.objects.remove(LOCK_OBJECT)


def _ended(run: Run) -> EndedRun:
    return EndedRun(
        user=_user(),
        host=run.worker.partition("/")[0].partition(":")[0],
        operation=Operation(run.operation),
        began=run.started_at or run.queued_at,
        ended=run.ended_at or run.queued_at,
    )


def _user() -> str:
    """As Terraform finds it: this process's, since all workers run as the same one."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return ""
