"""Requesting a release: an image by digest, and the steps on its way to everyone."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Max

from aws import images
from releases.domain.access.decisions import Refused
from releases.domain.acts import may_request
from releases.domain.canary import check_addresses, check_room, room_in_rule
from releases.domain.errors import DomainError, InvalidCanary
from releases.domain.preparation import gives_up_old_version
from releases.domain.rollout_plan import PlannedStep, Rotation, build_steps
from releases.domain.tickets import check_ticket
from releases.domain.traffic import TAG, Version
from releases.domain.versions.configuration import Configuration
from releases.domain.versions.configuration_words import changes
from releases.models import Release, Service, Step
from releases.permissions import NotAllowed, as_person
from releases.services import rollout
from releases.services.approval.policies import policy_of
from releases.services.execution.accounts import access
from releases.services.facts import service_facts
from releases.services.lifecycle import locked, person, record_release
from releases.services.preparation import kept_in_words, window_of
from releases.services.usual_plans import keep_plan
from releases.services.versions import image_marks
from releases.services.versions.configurations import WantedConfiguration, settle


@dataclass(frozen=True, kw_only=True)
class ReleaseRequest:
    """``tag`` names an image there, which has to be the one of the ``digest`` where that is given.

    ``extra_gates``, ``automatic`` and ``bakes`` (seconds) name steps by their key.
    ``bake_seconds`` follow each step that ``bakes`` doesn't name; ``keep_plan`` makes this the service's usual plan.
    Without a ``configuration`` the new version has the one that the users have now.
    ``gives_up_old_version`` is a person's word that the rotation may overwrite a version that is still to be kept.
    """

    tag: str
    digest: str = ""
    configuration: WantedConfiguration | None = None
    weights: Sequence[int]
    canary: bool = True
    canary_addresses: Sequence[str] | None = None
    extra_gates: Collection[str] = ()
    automatic: Collection[str] = ()
    bake_seconds: int = 0
    bakes: Mapping[str, int] = field(default_factory=dict)
    keep_plan: bool = False
    gives_up_old_version: bool = False
    reason: str = ""
    ticket: str = ""


@dataclass(frozen=True, kw_only=True)
class Opening:
    """A release as it is recorded: the version that it brings, by which steps, and what people said to it."""

    version: Version
    tag: str
    steps: Sequence[PlannedStep]
    gives_up_old_version: bool
    reason: str
    ticket: str = ""
    canary_addresses: Sequence[str] = ()


class RequestRefused(DomainError):
    """No release can be requested now; the message says why and what to do."""


def request_release(*, service_id: UUID, user: User, wanted: ReleaseRequest) -> Release:
    """Open a release and plan its first step.

    Raises ``NotAllowed``, ``RequestRefused``, ``InvalidRolloutPlan``, ``InvalidConfiguration``, and ``AwsError`` when
    the image is not there.
    """
    service = Service.objects.get(pk=service_id)
    refuse_unless_allowed(service, user)
    if not re.fullmatch(TAG, wanted.tag):
        raise RequestRefused("request:tag", "This is no tag of an image: choose one of the repository's.")
    _wanted_configuration(service, wanted)  # what is wrong with it is said before AWS is asked
    image = images.resolve_image(access(service), f"{service.repository_uri}:{wanted.tag}")
    if wanted.digest not in {"", image.digest}:
        raise RequestRefused(
            "request:digest", f"The tag {wanted.tag} leads to another image by now: {image.digest}."
        )
    with locked(service_id) as service:
        refuse_unless_allowed(service, user)
        version = Version(image=image.reference, configuration=_wanted_configuration(service, wanted))
        planned = build_steps(
            service.state,
            version,
            weights=wanted.weights,
            rotation=Rotation(service.rotation),
            canary=wanted.canary,
            extra_gates=wanted.extra_gates,
            automatic=wanted.automatic,
            bake_seconds=wanted.bake_seconds,
            bakes=wanted.bakes,
        )
        release = open_release(
            service,
            user,
            Opening(
                version=version,
                tag=image.tag,
                steps=planned,
                gives_up_old_version=wanted.gives_up_old_version,
                reason=wanted.reason,
                ticket=wanted.ticket,
                canary_addresses=_canary_addresses(service, wanted),
            ),
        )
        if wanted.keep_plan:
            keep_plan(service, _usual(wanted), actor=person(user))
    return release


def open_release(service: Service, user: User, opening: Opening) -> Release:
    """Record a release, and begin it; the caller holds the service's row, and has asked whether the person may.

    Raises ``RequestRefused`` where it would bring nothing new, or lose a version that is still to be kept, and
    ``InvalidTicket``.
    """
    refuse_same_version(service, opening.version)
    _refuse_marked(opening.version)
    _refuse_to_lose_old_version(service, opening)
    ticket = check_ticket(opening.ticket, is_needed=policy_of(service).ticket)
    opening = replace(opening, ticket=ticket)
    release = _create(service, user, opening)
    rollout.advance(service, actor=person(user))
    return release


def refuse_unless_allowed(service: Service, user: User) -> None:
    """Raise ``NotAllowed`` or ``RequestRefused`` unless this person may request a release now."""
    answer = may_request(as_person(user, service), service_facts(service))
    if isinstance(answer, Refused):
        kind = NotAllowed if answer.code.startswith("person:") else RequestRefused
        raise kind(answer.code, answer.reason)


def _wanted_configuration(service: Service, wanted: ReleaseRequest) -> Configuration:
    present = _serving(service).configuration
    if wanted.configuration is None:
        return present
    return settle(service.pk, wanted.configuration, present=present)


def _refuse_marked(version: Version) -> None:
    if found := image_marks.mark_of(version.image):
        seen = f"{found.release} of {found.release.service.name}"
        raise RequestRefused(
            "request:marked",
            f"This image is marked as bad since {seen}: {found.reason}. "
            "Who manages that service can lift the mark there.",
        )


def refuse_same_version(service: Service, version: Version) -> None:
    """Raise ``RequestRefused`` where everyone has this version, image and configuration, already."""
    if _serving(service) == version:
        raise RequestRefused("request:same", f"All users of {service.name} have this version already.")


def _usual(wanted: ReleaseRequest) -> dict[str, Any]:
    return {
        "weights": list(wanted.weights),
        "canary_first": wanted.canary,
        "extra_gates": sorted(wanted.extra_gates),
        "automatic_steps": sorted(wanted.automatic),
        "bake_seconds": wanted.bake_seconds,
        "bakes": dict(wanted.bakes),
    }


def _serving(service: Service) -> Version:
    return service.state.version_of(service.state.serving)


def _refuse_to_lose_old_version(service: Service, opening: Opening) -> None:
    window = window_of(service)
    if gives_up_old_version(opening.steps, window) and not opening.gives_up_old_version:
        raise RequestRefused("request:window", kept_in_words(service, window))


def _canary_addresses(service: Service, wanted: ReleaseRequest) -> tuple[str, ...]:
    """The service's own where the request has none of its own."""
    if not wanted.canary:
        return ()
    given = service.canary_addresses if wanted.canary_addresses is None else wanted.canary_addresses
    addresses = check_addresses(given)
    if not addresses and not service.canary_header_name:
        raise InvalidCanary(
            "canary:no-addresses", "The canary would send nobody: write an address, or leave the canary out."
        )
    check_room(addresses, slots=service.canary_slots, room=room_in_rule(service.hostnames, service.paths))
    return addresses


def _create(service: Service, user: User, opening: Opening) -> Release:
    serving = _serving(service)
    number = service.releases.aggregate(last=Max("number"))["last"] or 0
    release = Release.objects.create(
        service=service,
        number=number + 1,
        image=opening.version.image,
        tag=opening.tag,
        configuration=dict(opening.version.configuration),
        from_image=serving.image,
        from_configuration=dict(serving.configuration),
        from_tag=service.blue_tag if service.state.serving == "blue" else service.green_tag,
        canary_addresses=list(opening.canary_addresses),
        reason=opening.reason,
        ticket=opening.ticket,
        requested_by=user,
    )
    Step.objects.bulk_create(
        Step(
            service=service,
            release=release,
            position=position,
            transition=step.transition.value,
            candidate_share=step.candidate_share,
            gate=step.gate,
            bake_seconds=step.bake_seconds,
            automatic=step.automatic,
        )
        for position, step in enumerate(opening.steps)
    )
    record_release(
        release,
        actor=person(user),
        action="release.requested",
        before={"image": release.from_image, "tag": release.from_tag},
        after={
            "image": release.image,
            "tag": release.tag,
            "configuration": [
                str(change) for change in changes(release.from_configuration, release.configuration)
            ],
            "ticket": release.ticket,
            "gives_up_old_version": opening.gives_up_old_version,
            "steps": [[step.key, step.gate, step.bake_seconds, step.automatic] for step in opening.steps],
        },
        reason=opening.reason,
    )
    return release
