"""Ends what a dead worker left behind: its Terraform, and the run that still counts as running."""

from terraform_runner.claims import mark_lost
from terraform_runner.domain.runs import RunStatus
from terraform_runner.models import Run
from terraform_runner.process_identity import ProcessIdentity, end_group

MESSAGE = (
    "The worker of this run is gone, so nobody saw how it ended. Its Terraform has been ended. Plan again."
)


def end_orphans(*, worker_host: str, grace_seconds: float) -> list[Run]:
    """End the runs of this machine whose worker does not exist any more, and return them.

    ``worker_host`` is this machine's name as ``socket.gethostname`` says it. A Terraform that outlived its
    worker gets SIGINT, ``grace_seconds`` to finish what it is doing, then SIGKILL; only then the run is
    marked as lost, because that frees its workspace for the next one.
    """
    running = Run.objects.filter(status=RunStatus.RUNNING, worker__startswith=f"{worker_host}/")
    return [run for run in running if not _worker_lives(run) and _end(run, grace_seconds)]


def _worker_lives(run: Run) -> bool:
    _, pid, started = run.worker.rsplit("/", 2)
    return ProcessIdentity(pid=int(pid), started=float(started)).is_running()


def _end(run: Run, grace_seconds: float) -> bool:
    if run.process_group is not None and run.process_started is not None:
        leader = ProcessIdentity(pid=run.process_group, started=run.process_started)
        end_group(leader, grace_seconds=grace_seconds)
    return mark_lost(run, message=MESSAGE)
