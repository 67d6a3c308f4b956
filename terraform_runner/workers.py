"""Which workers there are and what they are busy with: what a run that waits is waiting for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now

from terraform_runner.domain.runs import RunStatus
from terraform_runner.leases import after
from terraform_runner.models import Run, Worker

# A worker that was not seen for so long counts for nothing; pages say since when.
SEEN_SECONDS = 40.0
REMEMBERED_SECONDS = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What a queued run meets. ``busy_with`` has the workspaces of the ``workers`` of its queue that are busy.

    ``silent_for`` is how long ago any worker of its queue was heard of; None if none ever was.
    """

    held: bool
    workers: int
    busy_with: tuple[str, ...]
    silent_for: timedelta | None


def note_seen(name: str, *, queues: Sequence[str], problem: str = "") -> None:
    """This worker is there, and serves these queues; ``problem`` is why it can run nothing."""
    seen = {"queues": list(queues), "problem": problem, "seen_at": Now()}
    Worker.objects.update_or_create(name=name, defaults=seen)


def note_gone(name: str) -> None:
    """This worker has ended in good order."""
    Worker.objects.filter(pk=name).delete()


def forget_silent() -> None:
    """Forget the workers that nobody has heard of for a day."""
    Worker.objects.filter(seen_at__lt=after(-REMEMBERED_SECONDS)).delete()


def list_seen(queue: str) -> list[Worker]:
    """The workers of a queue that were heard of a short time ago."""
    lately = {"seen_at__gt": after(-SEEN_SECONDS), "seen_at__lt": after(SEEN_SECONDS)}
    return list(Worker.objects.filter(queues__contains=[queue], **lately))


def count_seen() -> int:
    """How many worker processes there are now."""
    return Worker.objects.filter(seen_at__gt=after(-SEEN_SECONDS)).count()


def silence_of(run: Run) -> timedelta | None:
    """How long ago a run's worker was heard of; None if nobody holds it."""
    silent = ExpressionWrapper(Now() - F("heartbeat_at"), output_field=DurationField())
    held = Run.objects.filter(pk=run.pk, status=RunStatus.RUNNING, heartbeat_at__isnull=False)
    return held.values_list(silent, flat=True).first()


def situation(run: Run, *, queue: str) -> Situation:
    """What a queued run meets in its queue; two queries, whatever there is."""
    running = dict(Run.objects.filter(status=RunStatus.RUNNING).values_list("worker", "workspace"))
    silent = ExpressionWrapper(Now() - F("seen_at"), output_field=DurationField())
    workers = list(Worker.objects.filter(queues__contains=[queue]).annotate(silent_for=silent))
    seen = [worker.pk for worker in workers if worker.silent_for.total_seconds() < SEEN_SECONDS]
    return Situation(
        held=run.workspace in running.values(),
        workers=len(seen),
        busy_with=tuple(running[name] for name in seen if name in running),
        silent_for=min((worker.silent_for for worker in workers), default=None),
    )
