"""A fresh look at the function that a rollback leads to, for whoever has the emergency button's page open.

The page only says that it wants one, and waits for nothing. The part of its process that watches sees to it
(:mod:`releases.services.rollback.watchman`): it looks itself, or asks a worker where it may hold no AWS credentials.
"""

from datetime import timedelta
from uuid import UUID

from releases import dispatch
from releases.models import Readiness, Service
from releases.services.lifecycle import now
from releases.services.rollback import readiness

FRESH_FOR = timedelta(seconds=5)
# Services at once: whoever opens more pages than that sees some of them looked at a moment later.
MOST_WANTED = 100

_wanted: set[UUID] = set()


def want(service: Service) -> None:
    """Have a service's other side looked at within a second; returns at once."""
    if len(_wanted) < MOST_WANTED:
        _wanted.add(service.pk)


def take_wanted() -> list[UUID]:
    """The services that somebody wants looked at, once."""
    return [_wanted.pop() for _ in range(len(_wanted))]


def is_fresh(found: Readiness | None) -> bool:
    """Whether that was found so short a time ago that nobody need look again."""
    return found is not None and found.checked_at > now() - FRESH_FOR


def see_to(service_id: UUID, *, has_aws: bool) -> None:
    """Look, or ask a worker to. What fails is said by the page's age: it asks again."""
    if has_aws:
        look(service_id)
    else:
        dispatch.send_look(service_id)


def look(service_id: UUID) -> None:
    """Look at a service's other side and probe it, unless that was done just now."""
    service = Service.objects.filter(pk=service_id, set_up_at__isnull=False, removed_at__isnull=True).first()
    if service is not None and not is_fresh(Readiness.objects.filter(service=service).first()):
        readiness.check(service, for_page=True)
