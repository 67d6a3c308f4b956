"""Reads for change records: a constant number of queries each."""

from collections.abc import Sequence

from django.db.models import F, Prefetch

from audit.models import AuditEvent
from releases.models import BrokenGlass, EmergencyRollback, Press, Release


def numbered_events(release: Release, *, limit: int) -> Sequence[AuditEvent]:
    """What happened to a release and its steps, in the order of time; each with ``number`` and ``hash``, its place
    in the chain, or None where it has none."""
    events = AuditEvent.objects.filter(
        service_id=str(release.service_id), subject__release=str(release.pk)
    ).annotate(number=F("link__number"), hash=F("link__hash"))
    return list(events.order_by("pk")[:limit])


def rollbacks_of(release: Release) -> Sequence[EmergencyRollback]:
    """The emergency rollbacks that took a release's users back, in the order of time, each with its presses."""
    rollbacks = EmergencyRollback.objects.filter(release=release).select_related("converge")
    presses = Prefetch("presses", Press.objects.order_by("pressed_at"))
    return list(rollbacks.prefetch_related(presses).order_by("pressed_at"))


def glasses_of(release: Release) -> Sequence[BrokenGlass]:
    """The gates of a release that somebody opened alone, in the order of time."""
    found = BrokenGlass.objects.filter(step__release=release)
    return list(found.select_related("step__release", "broken_by", "reviewed_by").order_by("broken_at"))
