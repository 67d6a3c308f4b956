"""Which events of the trail somebody may see, and the names that stand for the ids in them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User

from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.domain.access.roles import Role
from releases.models import Release, RoleGrant
from releases.models.role_grant import EVERYWHERE
from releases.permissions import is_limited, services_with
from releases.selectors.roles import held_by


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The names of the services whose events somebody may see, by the ids that the events have.

    Who sees ``everything`` also sees what belongs to no service, such as who signed in and what was exported.
    """

    services: Mapping[str, str]
    everything: bool = False

    def __bool__(self) -> bool:
        return self.everything or bool(self.services)

    @property
    def service_ids(self) -> list[str] | None:
        """For a search of the trail: None where nothing is left out."""
        return None if self.everything else list(self.services)

    def may_see(self, event: AuditEvent) -> bool:
        """Whether this one is among them."""
        return self.everything or event.service_id in self.services


def seen_by(user: User) -> Seen:
    """What of the trail a person may see."""
    found = services_with(user, Permission.AUDIT).values_list("pk", "name")
    return Seen(services={str(pk): name for pk, name in found}, everything=audits_everything(user))


def release_numbers(events: Iterable[AuditEvent]) -> dict[str, int]:
    """The numbers of the releases that events are about, by their ids; one query."""
    found = Release.objects.filter(pk__in=list(_release_ids(events))).values_list("pk", "number")
    return {str(pk): number for pk, number in found}


def _release_ids(events: Iterable[AuditEvent]) -> Iterator[UUID]:
    for event in events:
        with suppress(ValueError):
            yield UUID(str(event.subject.get("release")))


def audits_everything(user: User) -> bool:
    """Whether an active person may see all of the trail: an auditor or an administrator everywhere, not by a token."""
    roles = [Role.AUDITOR.value, Role.ADMIN.value]
    grants = RoleGrant.objects.filter(EVERYWHERE, held_by(user), role__in=roles)
    is_active = User.objects.filter(pk=user.pk, is_active=True)
    return grants.exists() and is_active.exists() and not is_limited(user)
