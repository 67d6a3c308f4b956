"""The trail: what happened, who did it and why, for ever; and the chain that shows whether it was touched."""

import pgtrigger
from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

VIAS = ("page", "token", "worker", "scheduler", "command", "emergency")
# pg_advisory_xact_lock: whoever numbers an event holds it until its commit is done.
CHAIN_LOCK = 1635083369
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
    ``at`` is the database's clock. ``action`` is one of :data:`audit.actions.ACTIONS`.

    ``context`` is how the act came in: the request's id and the address it came from. ``digest`` is the SHA-256 of all
    this (:func:`audit.canonical.digest_of`).

    The database itself refuses UPDATE, DELETE and TRUNCATE, also from a shell. (Its owner could drop the
    trigger: what was changed then is found by the chain.)
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
    context = models.JSONField(default=dict, blank=True)
    digest = models.CharField(max_length=64, editable=False)

    class Meta:
        ordering = ["-id"]
        # What else audit.search goes by has no form here, and is in migration 0004.
        indexes = [
            models.Index("service_id", models.F("id").desc(), name="audit_service_timeline"),
            models.Index("actor_name", models.F("id").desc(), name="audit_actor_timeline"),
            models.Index("action", models.F("id").desc(), name="audit_action_timeline"),
        ]
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


class ChainLink(models.Model):
    """An event's place in the chain: its number, without gaps, and a hash that goes on from the one before it.

    Written by the database alone (migration 0002), in two turns while a transaction is committed. In the first one it
    gets its row here; in the second one, when nothing is left that could wait for somebody else's lock, its number and
    hash, under the one lock of the chain. So that lock is the last of each transaction, nobody holds it for longer than
    a COMMIT takes, and what is taken back leaves no gap. A client that stands still doesn't hold it: COMMIT runs in the
    server. Who waits for it keeps to its own ``lock_timeout``.
    """

    event = models.OneToOneField(
        AuditEvent, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="link"
    )
    number = models.BigIntegerField(null=True)
    hash = models.CharField(max_length=64, null=True)  # noqa: DJ001 - like the number: none until the commit

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["number"], condition=models.Q(number__isnull=False), name="audit_one_chain"
            )
        ]
        triggers = [
            pgtrigger.Trigger(
                name="append_only",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Delete | pgtrigger.Truncate,
                func="RAISE EXCEPTION 'The audit trail is append-only: % is refused', TG_OP;",
            ),
            pgtrigger.Trigger(
                name="written_once",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.number IS NOT NULL"),
                func="RAISE EXCEPTION 'The audit trail is append-only: % is refused', TG_OP;",
            ),
        ]

    def __str__(self) -> str:
        return f"event {self.number}"
