"""A person's word that the stored state is the right one, although it isn't the one that the last run had, or kept."""

from audit import events
from audit.events import Actor
from releases import push
from releases.models import Service
from releases.services.execution import unsaved_states
from releases.services.lifecycle import locked
from terraform_runner import claims
from terraform_runner import selectors as runs


def accept_state(service: Service, *, actor: Actor, reason: str) -> None:
    """Let the service's next run take whatever state it finds, and learn who it is from then on."""
    with locked(service.pk):
        known = runs.last_state(str(service.pk))
        claims.forget_state(str(service.pk))
        events.record(
            actor=actor,
            action="service.state-accepted",
            service_id=str(service.pk),
            subject={"service": service.name},
            before={"lineage": known.lineage, "serial": known.serial} if known else {},
            reason=reason,
        )
        push.service_changed(service.pk)
    unsaved_states.forget(service)
