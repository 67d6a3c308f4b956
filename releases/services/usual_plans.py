"""A service's usual plan: what its next request begins with."""

from collections.abc import Mapping
from typing import Any

from audit import events
from audit.events import Actor
from releases.models import Service


def keep_plan(service: Service, usual: Mapping[str, Any], *, actor: Actor) -> None:
    """Make these choices (columns of the service) the usual ones. The caller holds the service's row."""
    before = {name: getattr(service, name) for name in usual}
    if before == usual:
        return
    for name, value in usual.items():
        setattr(service, name, value)
    service.save(update_fields=list(usual))
    events.record(
        actor=actor,
        action="service.plan-kept",
        service_id=str(service.pk),
        subject={"service": service.name},
        before=before,
        after=dict(usual),
    )
