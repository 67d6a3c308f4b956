"""The trail's one table: what happened, who did it and why, for ever."""

import pgtrigger
from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

VIAS = ("page", "worker", "scheduler", "command", "emergency")
MAX_LENGTHS = {
    "actor_id": 64,
    "actor_name": 200,
    "via": 20,
    "action": 80,
    "service_id": 64,
    "reason": 4000,
}


class AuditEvent(models.Model):
    """One thing that happened; written by :func:`audit.events.record` only, and never changed or removed.

    It refers to nothing by foreign key: ids and names are copied, so that an event still says who and what
    when the person or the service is gone. ``id`` is a UUID of version 7, so newer events have greater ids;
    ``at`` is the database's clock. ``action`` is "<thing>.<what happened to it>": "release.requested".

    The database itself refuses UPDATE, DELETE and TRUNCATE, also from a shell. (Its owner could drop the
    trigger.)
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField(db_default=Now(), editable=False)
    actor_id = models.CharField(max_length=MAX_LENGTHS["actor_id"], blank=True)
    actor_name = models.CharField(max_length=MAX_LENGTHS["actor_name"])
    via = models.CharField(max_length=MAX_LENGTHS["via"], choices=[(via, via) for via in VIAS])
    action = models.CharField(max_length=MAX_LENGTHS["action"])
    service_id = models.CharField(max_length=MAX_LENGTHS["service_id"], blank=True)
    subject = models.JSONField(default=dict, blank=True)
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)
    reason = models.TextField(max_length=MAX_LENGTHS["reason"], blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index("service_id", models.F("id").desc(), name="audit_service_timeline")]
        constraints = [models.CheckConstraint(condition=models.Q(via__in=VIAS), name="audit_via_known")]
        triggers = [
            # For each statement: TRUNCATE has no rows, and what hits no row is refused just as well.
            pgtrigger.Trigger(
                name="append_only",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate,
                func="RAISE EXCEPTION 'The audit trail is append-only: % is refused', TG_OP;",
            )
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor_name or self.actor_id}"
