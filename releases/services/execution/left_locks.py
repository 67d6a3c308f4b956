"""Takes away the state lock that a dead run of the service has left, with its audit event; never somebody else's."""

from dataclasses import asdict

from audit import events
from releases import push
from releases.models import Service
from releases.services.lifecycle import SYSTEM, locked
from terraform_runner import leases, left_locks
from terraform_runner.models import Run
from terraform_runner.state import State


def free(state: State, service: Service, run: Run) -> None:
    """Before a run: one that is found to be ours is in nobody's use. For another one Terraform waits, and says whose.

    Raises HoldLost if this worker does not hold the run any more.
    """
    lock = left_locks.find(state)
    owner = left_locks.owner_of(lock, str(service.pk)) if lock else None
    if lock is None or owner is None:
        return
    with locked(service.pk):
        leases.refuse_unless_held(run)
        events.record(
            actor=SYSTEM,
            action="service.lock-removed",
            service_id=str(service.pk),
            subject={"service": service.name, "run": str(owner.pk)},
            before={**asdict(lock), "created": lock.created.isoformat()},
            reason=f"The {owner.operation} run {owner.pk} had left it: {owner.error_message}",
        )
        push.service_changed(service.pk)
    left_locks.remove(state, lock)
