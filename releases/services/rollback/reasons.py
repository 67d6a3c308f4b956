"""Why a rollback was pressed: asked afterwards, and due before the next release."""

from uuid import UUID

from django.contrib.auth.models import User

from releases.domain.access.decisions import Refused
from releases.domain.acts import may_give_reason
from releases.domain.errors import DomainError
from releases.models import EmergencyRollback
from releases.permissions import NotAllowed, as_person
from releases.services.lifecycle import locked, person
from releases.services.rollback.rollbacks import record_event
from releases.services.versions import image_marks


class ReasonMissing(DomainError):
    """A rollback's reason is a choice or a text."""


def give_reason(rollback_id: UUID, *, user: User, reason: str) -> None:
    """Say why a rollback was pressed, or say it better; if it was the version, its image is marked.

    Raises ``NotAllowed``, and ``ReasonMissing`` without one."""
    service_id = EmergencyRollback.objects.values_list("service_id", flat=True).get(pk=rollback_id)
    with locked(service_id) as service:
        answer = may_give_reason(as_person(user, service))
        if isinstance(answer, Refused):
            raise NotAllowed(answer.code, answer.reason)
        if not reason.strip():
            raise ReasonMissing("rollback:no-reason", "Choose a reason, or write one.")
        rollback = EmergencyRollback.objects.get(pk=rollback_id)
        rollback.reason = reason.strip()
        rollback.save(update_fields=["reason"])
        record_event(rollback, person(user), "rollback.reason-given", reason=rollback.reason)
        if rollback.release and image_marks.blames_image(rollback.reason):
            image_marks.mark(rollback.release, user=user, reason=f"Rolled back: {rollback.reason}")
