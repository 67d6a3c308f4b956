"""Who may run what, now: the only place where a run's state changes, always by compare-and-set.

Each function is one statement, or one transaction, that names the state which it expects. A message that is
doubled, late or forged finds another state and does nothing.
"""

import os
import socket
from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from terraform_runner.domain.results import Applied, Planned
from terraform_runner.domain.runs import ALLOWED_CHANGES, OPEN_STATUSES, Operation, RunStatus
from terraform_runner.domain.state_identity import StateIdentity
from terraform_runner.errors import HoldLost, PlanStale, RunCancelled, RunnerError
from terraform_runner.leases import GRACE_SECONDS, LEASE_SECONDS, after, list_expired
from terraform_runner.models import Run
from terraform_runner.process_identity import ProcessIdentity

# Linux gives this number to the first namespace of process numbers; a container's has another one.
FIRST_NAMESPACE = 0xEFFFFFFC


def worker_host() -> str:
    """Where process numbers mean the same as here: this machine, or this container of it."""
    try:
        namespace = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        namespace = FIRST_NAMESPACE
    name = socket.gethostname()
    return name if namespace == FIRST_NAMESPACE else f"{name}:{namespace}"


def worker_name() -> str:
    """This process, so that another one on the same host can tell whether it still lives."""
    pid = os.getpid()
    identity = ProcessIdentity.of(pid)
    if identity is None:
        raise RuntimeError("The operating system does not know the calling process.")
    return f"{worker_host()}/{pid}/{identity.started:.2f}"


def queue_run(
    *, workspace: str, operation: Operation, plan_run: Run | None = None, urgent: bool = False
) -> Run:
    """Write down that a run is wanted. An apply names the plan run whose plan it executes."""
    run = Run.objects.create(workspace=workspace, operation=operation, plan_run=plan_run, urgent=urgent)
    run.refresh_from_db(fields=["queued_at"])
    return run


def mark_sent(run_ids: Collection[UUID]) -> None:
    """Note that the workers were told just now about these runs."""
    Run.objects.filter(pk__in=run_ids, status=RunStatus.QUEUED).update(sent_at=Now())


def claim(
    run_id: UUID, *, worker: str, lease_seconds: float = LEASE_SECONDS, grace_seconds: float = GRACE_SECONDS
) -> Run | None:
    """Take a queued run and with it the hold of its workspace, for so long, in one statement.

    The grace is what the worker's launcher gives Terraform to end. None if the run was taken, ended or cancelled, or
    if another run holds the workspace (it stays queued).
    """
    try:
        with transaction.atomic():
            queued = Run.objects.filter(pk=run_id)
            now = {"started_at": Now(), "heartbeat_at": Now(), "lease_until": after(lease_seconds)}
            grace = timedelta(seconds=grace_seconds)
            taken = _change(queued, RunStatus.QUEUED, RunStatus.RUNNING, worker=worker, grace=grace, **now)
    except IntegrityError:
        return None  # the constraint one_running_run_per_workspace: held by another run
    return Run.objects.select_related("plan_run").get(pk=run_id) if taken else None


def finish(run: Run, outcome: Planned | Applied | RunnerError) -> RunStatus:
    """Record how a claimed run ended. Raises HoldLost if this worker does not hold it any more."""
    status, values = _ending(outcome)
    if not _change(_held(run), RunStatus.RUNNING, status, ended_at=Now(), **values):
        raise HoldLost("This run was ended by somebody else. Nothing was recorded about how it ended here.")
    return status


def mark_lost(run: Run, *, message: str) -> bool:
    """Record that a run's worker is gone. False if the run has ended meanwhile."""
    return _lose(_held(run), message)


def take_over(run: Run, *, message: str) -> bool:
    """Record that a run's hold is over. False if its worker has renewed it, or it has ended, meanwhile."""
    return _lose(list_expired().filter(pk=run.pk, worker=run.worker), message)


def request_cancel(*, workspace: str, reason: str, only: Collection[UUID] | None = None) -> list[UUID]:
    """Stop what is queued or running for a workspace, or ``only`` these of its runs, and return which runs those are.

    A queued run is cancelled at once. A running one is asked: its worker sees it at its next heartbeat.
    """
    with transaction.atomic():
        open_runs = Run.objects.filter(workspace=workspace, status__in=OPEN_STATUSES)
        if only is not None:
            open_runs = open_runs.filter(pk__in=only)
        runs = list(open_runs.select_for_update().only("pk", "status"))
        for run in runs:
            asked = {"cancel_requested_at": Now(), "cancel_reason": reason}
            if run.status == RunStatus.QUEUED:
                values = {
                    **asked,
                    "ended_at": Now(),
                    "error_code": RunCancelled.code,
                    "error_message": reason,
                }
                _change(Run.objects.filter(pk=run.pk), RunStatus.QUEUED, RunStatus.CANCELLED, **values)
            else:
                Run.objects.filter(pk=run.pk, cancel_requested_at=None).update(**asked)
    return [run.pk for run in runs]


def use_plan(plan_run: Run) -> None:
    """Note that a plan is going to be applied, which happens once. Raises PlanStale if it was used before.

    Terraform itself applies a plan twice if it was made for an empty state.
    """
    fresh = Run.objects.filter(pk=plan_run.pk, status=RunStatus.SUCCEEDED, plan_used_at=None)
    if fresh.update(plan_used_at=Now()) != 1:
        raise PlanStale("This plan was applied already. Make a new plan.")


def note_plan_removed(plan_run: Run) -> None:
    """Note that a plan is in the store no more."""
    Run.objects.filter(pk=plan_run.pk).update(plan_removed_at=Now())


def forget_state(workspace: str) -> int:
    """Let the next run take whatever state it finds. Gives how many runs had noted another one."""
    noted = Run.objects.filter(workspace=workspace, state_serial__isnull=False)
    return noted.update(state_lineage="", state_serial=None)


def _identity(state: StateIdentity | None) -> dict[str, Any]:
    return {"state_lineage": state.lineage, "state_serial": state.serial} if state else {}


def _held(run: Run) -> QuerySet[Run]:
    return Run.objects.filter(pk=run.pk, worker=run.worker)


def _lose(one: QuerySet[Run], message: str) -> bool:
    ending = {"ended_at": Now(), "error_code": "run:lost", "error_message": message}
    return _change(one, RunStatus.RUNNING, RunStatus.LOST, **ending)


def _change(one: QuerySet[Run], expected: RunStatus, status: RunStatus, **values: object) -> bool:
    if status not in ALLOWED_CHANGES[expected]:
        raise ValueError(f"A run never goes from {expected} to {status}.")
    return one.filter(status=expected).update(status=status, **values) == 1


def _ending(outcome: Planned | Applied | RunnerError) -> tuple[RunStatus, dict[str, Any]]:
    match outcome:
        case Planned():
            return RunStatus.SUCCEEDED, {
                "exit_code": 0,
                "plan_sha256": outcome.plan_sha256,
                "document_sha256": outcome.document_sha256,
                "changes_digest": outcome.changes_digest,
                "changes": outcome.changes,
                **_identity(outcome.state),
            }
        case Applied():
            return RunStatus.SUCCEEDED, {
                "exit_code": 0,
                "outputs": outcome.outputs,
                **_identity(outcome.state),
            }
        case RunnerError():
            status = RunStatus.CANCELLED if isinstance(outcome, RunCancelled) else RunStatus.FAILED
            return status, {
                "exit_code": outcome.exit_code,
                "error_code": outcome.code,
                "error_message": outcome.message,
            }
