"""States that runs of a service could not write: the next run pushes the last one, with its audit event."""

from functools import partial

from django.db import transaction

from audit import events
from releases import push
from releases.models import Service
from releases.services.execution import storage
from releases.services.lifecycle import SYSTEM
from terraform_runner.executor import UnsavedState
from terraform_runner.models import Run


def find(service: Service) -> UnsavedState | None:
    """The one that was kept last. Raises ``AwsError``, and RunnerError if it can't be decrypted."""
    runs = _runs(service)
    if not runs:
        return None
    kept, name = storage.unsaved_states(), str(runs[0].pk)
    content = kept.get(name)
    settled = partial(_note_pushed, service, runs[0])
    return UnsavedState(content=content, place=kept.place(name), settled=settled) if content else None


def forget(service: Service) -> None:
    """Keep none of them any longer."""
    for run in _runs(service):
        storage.unsaved_states().remove(str(run.pk))


def _runs(service: Service) -> list[Run]:
    """Which runs they are of, the last one first."""
    names = list(storage.unsaved_states().names())
    own = Run.objects.filter(workspace=str(service.pk), pk__in=names) if names else Run.objects.none()
    return list(own.order_by("-queued_at"))


def _note_pushed(service: Service, run: Run) -> None:
    with transaction.atomic():
        events.record(
            actor=SYSTEM,
            action="service.state-pushed",
            service_id=str(service.pk),
            subject={"service": service.name, "run": str(run.pk)},
            reason=f"The {run.operation} run {run.pk} could not write it.",
        )
        push.service_changed(service.pk)
    forget(service)
