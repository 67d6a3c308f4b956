"""Ends what a dead worker left behind: its Terraform, and the run that still counts as running."""

import contextlib

import psutil

from terraform_runner import claims, leases
from terraform_runner.domain.runs import RunStatus
from terraform_runner.models import Run
from terraform_runner.process_identity import ProcessIdentity, end_group

GONE = "The worker of this run is gone, so nobody saw how it ended. Its Terraform has been ended. Plan again."
SILENT = (
    "The worker {worker} was not heard of until its hold of this run was over, so nobody saw how it ended. "
    "Its Terraform is not given the time to go on without it. Plan again."
)
# A launcher that runs needs a moment beyond the grace period, in which it ends Terraform.
LAUNCHER_SECONDS = 5.0


def end_orphans(*, worker_host: str) -> list[Run]:
    """End the runs of this host whose worker does not exist any more, and return them.

    ``worker_host`` is as ``claims.worker_host`` says it. Only when Terraform has ended the run is marked as lost,
    because that frees its workspace for the next one.
    """
    running = Run.objects.filter(status=RunStatus.RUNNING, worker__startswith=f"{worker_host}/")
    return [run for run in running if not _worker_lives(run) and _end(run)]


def take_over(*, worker_host: str) -> list[Run]:
    """End the runs, of whatever host, whose worker has not renewed its hold in time, and return them.

    On another host the launcher has ended Terraform by then; on this one that is made sure of, in case that it was
    stopped with its worker.
    """
    ended = [run for run in leases.list_expired() if _is_ended(run, worker_host)]
    return [run for run in ended if claims.take_over(run, message=SILENT.format(worker=run.worker))]


def _is_ended(run: Run, worker_host: str) -> bool:
    return not run.worker.startswith(f"{worker_host}/") or _end_processes(run)


def _worker_lives(run: Run) -> bool:
    _, pid, started = run.worker.rsplit("/", 2)
    return ProcessIdentity(pid=int(pid), started=float(started)).is_running()


def _end(run: Run) -> bool:
    return _end_processes(run) and claims.mark_lost(run, message=GONE)


def _end_processes(run: Run) -> bool:
    """End a run's launcher and Terraform. False if somebody else is about to, since one interrupt is enough."""
    grace_seconds = run.grace.total_seconds()
    if not leases.begin_to_end(run, patience_seconds=3 * grace_seconds):
        return False
    if run.process_group is not None and run.process_started is not None:
        launcher = ProcessIdentity(pid=run.process_group, started=run.process_started)
        _let_it_end(launcher, grace_seconds)
        end_group(launcher, grace_seconds=grace_seconds)
    return True


def _let_it_end(launcher: ProcessIdentity, grace_seconds: float) -> None:
    """A launcher that runs ends Terraform and itself, and everything else would disturb it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(launcher.pid)
        if launcher.is_running() and process.status() != psutil.STATUS_STOPPED:
            psutil.wait_procs([process], timeout=grace_seconds + LAUNCHER_SECONDS)
