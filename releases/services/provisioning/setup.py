"""A new service: its record, and the step that creates it at AWS."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from audit import events
from audit.events import Actor
from aws import images
from aws.images import Image
from releases import push, selectors
from releases.domain.canary import CanaryHeader, check_addresses, check_room, room_in_rule
from releases.domain.lifecycle import StepStatus
from releases.domain.provisioning.execution_role import RoleRights
from releases.domain.provisioning.new_service import Identity
from releases.domain.provisioning.settings import Settings, from_columns
from releases.domain.rollout_plan import Rotation
from releases.domain.traffic import Transition
from releases.domain.versions.environment import hide
from releases.models import Service, Step
from releases.services import canary_header, rollout
from releases.services.access import rights
from releases.services.execution.accounts import access
from releases.services.lifecycle import change_step, now
from releases.services.provisioning import names
from releases.services.versions.configurations import WantedConfiguration, settle


@dataclass(frozen=True, kw_only=True)
class NewService(Identity):
    """What has to be said about a service at its set-up.

    ``tag`` and ``configuration`` are the version that both colours run first, ``canary_addresses`` what releases begin
    with, in any usual form.
    """

    hostnames: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    priority: int = 200
    canary_addresses: list[str] = field(default_factory=list)
    canary_slots: int = 1
    canary_header: CanaryHeader | None = None
    stickiness_seconds: int = 0
    role_rights: str = RoleRights.LEAST.value
    tags: Mapping[str, str] = field(default_factory=dict)
    log_retention_days: int | None = None
    provisioned_concurrency: int = 0
    weights: list[int] = field(default_factory=lambda: [10, 25, 50, 75])
    bake_seconds: int = 300
    settle_seconds: int = 120
    rotation: str = Rotation.COPY.value
    rollback_window_seconds: int = 86_400
    configuration: WantedConfiguration = field(default_factory=WantedConfiguration)

    @property
    def settings(self) -> Settings:
        """Its settings, as the rules know them."""
        return from_columns(vars(self))


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A new service with its image by digest, its configuration as it is stored, its addresses in their usual form."""

    id: UUID
    new: NewService
    image: Image
    configuration: Mapping[str, Any]


def prepare(new: NewService) -> Prepared:
    """Raises ``InvalidConfiguration``, ``InvalidCanary``, and ``AwsError`` when the image is not there."""
    service_id = uuid7()
    new = replace(new, canary_addresses=_canary_addresses(new))
    configuration = settle(service_id, new.configuration, present={})
    image = images.resolve_image(access(new), f"{new.repository_uri}:{new.tag}")
    return Prepared(id=service_id, new=new, image=image, configuration=configuration)


def create_service(new: NewService, *, actor: Actor) -> Service:
    """Record a service and begin its set-up, which a worker does without anybody's approval.

    Raises what ``prepare`` raises.
    """
    prepared = prepare(new)
    with transaction.atomic():
        service = record_service(prepared, actor=actor)
        begin_set_up(service, actor=actor)
    return service


def record_service(prepared: Prepared, *, actor: Actor, reason: str = "") -> Service:
    """The row of a new service, with its event; the caller has a transaction. Raises ``IntegrityError``."""
    new, image, header = prepared.new, prepared.image, prepared.new.canary_header
    names.give_back(new.name, actor=actor)
    service = Service.objects.create(
        pk=prepared.id,
        **_columns(new),
        blue_image=image.reference,
        green_image=image.reference,
        blue_tag=new.tag,
        green_tag=new.tag,
        blue_configuration=prepared.configuration,
        green_configuration=prepared.configuration,
        canary_header_name=header.name if header else "",
        canary_header_value=canary_header.encrypt(prepared.id, header.value) if header else "",
    )
    events.record(
        actor=actor,
        action="service.created",
        service_id=str(service.pk),
        subject={"service": service.name},
        after={
            **_columns(new),
            "tag": new.tag,
            "configuration": hide(prepared.configuration),
            "canary_header": service.canary_header_name,
        },
        reason=reason,
    )
    rights.bring_in_step(Service.objects.filter(pk=service.pk))
    return service


def _columns(new: NewService) -> dict[str, Any]:
    """What has a column of its own; the version is in both colours'."""
    own = {"tag", "configuration", "canary_header"}
    return {field.name: getattr(new, field.name) for field in fields(new) if field.name not in own}


def _canary_addresses(new: NewService) -> list[str]:
    addresses = check_addresses(new.canary_addresses)
    check_room(addresses, slots=new.canary_slots, room=room_in_rule(new.hostnames, new.paths))
    return list(addresses)


def begin_set_up(service: Service, *, actor: Actor) -> None:
    """Queue the first apply, or another try after one that failed. The caller holds the service's row."""
    for failed in selectors.unfinished_steps(service).filter(status=StepStatus.FAILED.value):
        change_step(failed, StepStatus.ABANDONED, actor=actor, action="step.abandoned", ended_at=now())
    Step.objects.create(
        service=service, transition=Transition.SET_UP.value, candidate_share=0, started_at=now()
    )
    push.service_changed(service.pk)
    rollout.advance(service, actor=actor)
