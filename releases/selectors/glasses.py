"""Broken glasses that nobody else has reviewed yet."""

from django.contrib.auth.models import User
from django.db.models import Exists, Q, QuerySet

from releases.models import BrokenGlass, Service, ServiceAccount
from releases.selectors.people import programs_of

UNREVIEWED = BrokenGlass.objects.filter(reviewed_at__isnull=True).order_by()


def glasses_to_review(user: User, *, services: QuerySet[Service]) -> QuerySet[BrokenGlass]:
    """Those on these services that wait for somebody like this person, oldest first; as ``may_review`` has it.

    None that they broke, or that opened a gate of what they asked for, themselves or by a program of theirs.
    """
    programs = programs_of(user).values("pk")
    asked = Q(step__release__requested_by=user) | Q(step__release__requested_by__in=programs)
    asked |= Q(step__requested_by=user) | Q(step__requested_by__in=programs)
    # Each "not" has a query of its own: as one, what has no person who asked for the very step would be left out.
    others = BrokenGlass.objects.exclude(broken_by=user).exclude(pk__in=UNREVIEWED.filter(asked).values("pk"))
    return (
        others.filter(reviewed_at__isnull=True, step__service__in=services, step__release__isnull=False)
        .exclude(Exists(ServiceAccount.objects.filter(user=user)))
        .select_related("step__service", "step__release", "broken_by")
        .order_by("broken_at", "pk")
    )
