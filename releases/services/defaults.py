"""What releases of a service begin with. Nothing at AWS depends on it: it is changed at once, for releases to come."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from audit import events
from releases import push
from releases.domain.access.decisions import Refused
from releases.domain.canary import check_addresses, check_room, room_in_rule
from releases.domain.errors import InvalidCanary
from releases.domain.provisioning.managing import may_change_defaults, may_change_rotation
from releases.domain.rollout_plan import Rotation, build_steps
from releases.domain.traffic import initial_state
from releases.models import Service
from releases.services.lifecycle import locked, person
from releases.services.provisioning.managed import ManagingRefused, managed_facts, refuse_unless


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """The usual steps, in the form of ``releases.services.requests.ReleaseRequest``, and how room is made for the next
    version. Times are in seconds."""

    weights: Sequence[int]
    canary_first: bool
    canary_addresses: Sequence[str]
    extra_gates: Collection[str]
    automatic_steps: Collection[str]
    bake_seconds: int
    bakes: Mapping[str, int]
    rotation: Rotation
    settle_seconds: int
    rollback_window_seconds: int


def change_defaults(*, service_id: UUID, user: User, wanted: Defaults) -> bool:
    """Change them at once, with an event; gives whether anything differed.

    Raises ``NotAllowed``, ``ManagingRefused``, ``InvalidRolloutPlan`` and ``InvalidCanary``.
    """
    with locked(service_id) as service:
        refuse_unless(may_change_defaults, user, service)
        after = _columns(service, wanted)
        before = {name: getattr(service, name) for name in after}
        if before == after:
            return False
        _refuse_rotation(service, wanted)
        Service.objects.filter(pk=service.pk).update(**after)
        events.record(
            actor=person(user),
            action="service.defaults-changed",
            service_id=str(service.pk),
            subject={"service": service.name},
            before=before,
            after=after,
        )
        push.service_changed(service.pk)
        return True


def _columns(service: Service, wanted: Defaults) -> dict[str, Any]:
    """What is wanted as the service's row has it; raises where no release could begin with it."""
    at_rest = initial_state(service.state.version_of(service.state.stable))
    build_steps(
        at_rest,
        at_rest.blue,
        weights=wanted.weights,
        canary=wanted.canary_first,
        extra_gates=wanted.extra_gates,
        automatic=wanted.automatic_steps,
        bake_seconds=wanted.bake_seconds,
        bakes=wanted.bakes,
    )
    return {
        **vars(wanted),
        "weights": list(wanted.weights),
        "canary_addresses": list(_addresses(service, wanted)),
        "extra_gates": sorted(wanted.extra_gates),
        "automatic_steps": sorted(wanted.automatic_steps),
        "bakes": dict(wanted.bakes),
        "rotation": wanted.rotation.value,
    }


def _addresses(service: Service, wanted: Defaults) -> tuple[str, ...]:
    addresses = check_addresses(wanted.canary_addresses)
    check_room(addresses, slots=service.canary_slots, room=room_in_rule(service.hostnames, service.paths))
    if wanted.canary_first and not addresses and not service.canary_header_name:
        raise InvalidCanary(
            "canary:no-addresses", "The canary would send nobody: write an address, or leave the canary out."
        )
    return addresses


def _refuse_rotation(service: Service, wanted: Defaults) -> None:
    """How a rotation goes on that has begun is in its steps already, and on every page that shows them."""
    answer = may_change_rotation(managed_facts(service))
    if wanted.rotation.value != service.rotation and isinstance(answer, Refused):
        raise ManagingRefused(answer.code, answer.reason)
