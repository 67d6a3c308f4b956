"""Releases a version of the history again: straight to everyone, with the gate of a promotion."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User

from aws import images
from aws.errors import AwsError
from releases import selectors
from releases.domain.rollout_plan import PlannedStep, Rotation, straight_steps
from releases.domain.traffic import Version
from releases.models import Release, Service
from releases.services import states
from releases.services.execution.accounts import access
from releases.services.lifecycle import locked
from releases.services.requests import (
    Opening,
    RequestRefused,
    open_release,
    refuse_same_version,
    refuse_unless_allowed,
)

SET_UP = 0
"""In the place of a release's number: what both colours ran first."""


@dataclass(frozen=True, kw_only=True)
class PastVersion:
    """A version that a service's users had, or were on the way to; ``name`` is what people call it by."""

    version: Version
    tag: str

    @property
    def name(self) -> str:
        """Its tag, or the beginning of its digest."""
        return self.tag or self.version.digest.removeprefix("sha256:")[:12]


def request_again(
    *,
    service_id: UUID,
    user: User,
    number: int,
    reason: str = "",
    ticket: str = "",
    gives_up_old_version: bool = False,
) -> Release:
    """Open a release of the version that release ``number`` had, with the configuration that it had.

    Raises ``NotAllowed``, ``RequestRefused``, ``InvalidRolloutPlan``, ``InvalidTicket``, ``Release.DoesNotExist``, and
    ``AwsError``.
    """
    service = Service.objects.get(pk=service_id)
    refuse_unless_allowed(service, user)
    past = past_version(service, number)
    find_image(service, past)
    with locked(service_id) as service:
        refuse_unless_allowed(service, user)
        opening = Opening(
            version=past.version,
            tag=past.tag,
            steps=steps_again(service, past),
            gives_up_old_version=gives_up_old_version,
            reason=reason,
            ticket=ticket,
        )
        return open_release(service, user, opening)


def past_version(service: Service, number: int) -> PastVersion:
    """The version of a release by its number, or of the set-up. Raises ``Release.DoesNotExist``."""
    if number == SET_UP:
        return _version_of_set_up(service)
    release = service.releases.get(number=number)
    version = Version(image=release.image, configuration=release.configuration)
    return PastVersion(version=version, tag=release.tag)


def steps_again(service: Service, past: PastVersion) -> tuple[PlannedStep, ...]:
    """What it takes to bring it to everyone now.

    Raises ``RequestRefused`` where everyone has it already, and ``InvalidRolloutPlan`` from a split.
    """
    refuse_same_version(service, past.version)
    return straight_steps(service.state, past.version, Rotation(service.rotation))


def find_image(service: Service, past: PastVersion) -> None:
    """Raise ``RequestRefused`` if the repository has its image no more, and ``AwsError`` if it does not answer."""
    try:
        images.resolve_image(access(service), past.version.image)
    except AwsError as error:
        if error.code != "aws:image-missing":
            raise
        raise RequestRefused(
            "again:image-gone",
            f"The image of {past.name} is no longer in the repository: push it again, or release another version.",
        ) from error


def _version_of_set_up(service: Service) -> PastVersion:
    step = selectors.set_up_step(service)
    if step is None:
        raise Release.DoesNotExist
    state = states.from_json(step.state_after)
    first = service.releases.order_by("number").first()
    return PastVersion(
        version=state.version_of(state.stable), tag=first.from_tag if first else service.blue_tag
    )
