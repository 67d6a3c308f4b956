"""The trail is append-only by the database's own word, whoever asks."""

import pytest
from django.db import DatabaseError, connection, models, transaction

from audit.events import Actor, record
from audit.models import AuditEvent

WORKER = Actor(id="", name="Bluegreen", via="worker")
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditevent SET reason = 'nothing happened'",
        "DELETE FROM audit_auditevent",
        "TRUNCATE audit_auditevent",
        "TRUNCATE audit_auditevent CASCADE",
        "INSERT INTO audit_auditevent TABLE audit_auditevent ON CONFLICT (id) DO UPDATE SET reason = ''",
        "UPDATE audit_auditevent SET reason = '' WHERE false",
    ],
)
def test_sql_cannot_change_or_remove_events(statement: str) -> None:
    event = record(actor=WORKER, action="release.promoted", reason="step 4 is verified")
    connection.check_constraints()  # as the commit does: it gets its number

    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert AuditEvent.objects.get(pk=event.pk).reason == "step 4 is verified"


def test_django_cannot_change_or_remove_an_event() -> None:
    event = record(actor=WORKER, action="release.promoted")
    event.action = "release.rejected"

    for change in (event.save, event.delete, AuditEvent.objects.all().delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()

    assert AuditEvent.objects.get(pk=event.pk).action == "release.promoted"


def test_events_refer_to_nothing_that_can_be_deleted() -> None:
    assert not [field for field in AuditEvent._meta.get_fields() if isinstance(field, models.ForeignKey)]
