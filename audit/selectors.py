"""Reading the trail."""

from uuid import UUID

from audit.models import AuditEvent


def list_events(*, service_id: str, before: UUID | None = None, limit: int = 50) -> list[AuditEvent]:
    """Return a service's events, newest first; the next page has those ``before`` the last one's id."""
    events = AuditEvent.objects.filter(service_id=service_id)
    if before is not None:
        events = events.filter(pk__lt=before)
    return list(events.order_by("-pk")[:limit])
