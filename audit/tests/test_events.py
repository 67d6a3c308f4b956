"""What `record` writes, and what it refuses to write."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction

from audit.events import MAX_JSON_BYTES, Actor, record
from audit.models import AuditEvent

MANAGER = Actor(id="7", name="mona", via="page")


@pytest.mark.django_db
def test_an_event_says_who_did_what_to_what_and_why() -> None:
    recorded = record(
        actor=MANAGER,
        action="plan.approved",
        service_id="01890000-0000-7000-8000-000000000001",
        subject={"release": "12"},
        before={"status": "waiting"},
        after={"status": "applying", "shares": [10, 25], "canary": True, "problem": None},
        reason="Looks good, „go“ 🚀",
    )

    event = AuditEvent.objects.get(pk=recorded.pk)
    assert (event.actor_id, event.actor_name, event.via) == ("7", "mona", "page")
    assert event.action == "plan.approved"
    assert event.service_id == "01890000-0000-7000-8000-000000000001"
    assert event.subject == {"release": "12"}
    assert event.before == {"status": "waiting"}
    assert event.after == {"status": "applying", "shares": [10, 25], "canary": True, "problem": None}
    assert event.reason == "Looks good, „go“ 🚀"
    assert str(event) == "plan.approved by mona"


@pytest.mark.django_db
def test_what_is_not_given_is_empty() -> None:
    event = record(actor=MANAGER, action="person.signed-in")

    assert (event.service_id, event.subject, event.before, event.after, event.reason) == ("", {}, {}, {}, "")


@pytest.mark.django_db
def test_the_time_is_the_database_s_own() -> None:
    with time_machine.travel("2001-01-01T00:00:00Z", tick=False):
        event = record(actor=MANAGER, action="release.requested")

    with connection.cursor() as cursor:
        cursor.execute("SELECT transaction_timestamp(), statement_timestamp()")
        [(began, read)] = cursor.fetchall()
    assert began <= event.at <= read


@pytest.mark.django_db(transaction=True)
def test_recording_outside_a_transaction_is_refused() -> None:
    with pytest.raises(transaction.TransactionManagementError, match=r"inside atomic\(\)"):
        record(actor=MANAGER, action="release.requested")

    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_event_goes_with_the_change_that_was_taken_back() -> None:
    with transaction.atomic():
        record(actor=MANAGER, action="release.requested")
        transaction.set_rollback(True)

    assert not AuditEvent.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"weight": float("nan")}, id="not-a-number"),
        pytest.param({"size": 2**60}, id="integer-beyond-53-bits"),
        pytest.param({10: "share"}, id="key-that-is-no-string"),
        pytest.param({"at": timedelta(1)}, id="not-a-json-type"),
        pytest.param({"name": "\ud800"}, id="half-a-character"),
        pytest.param({"log": "x" * MAX_JSON_BYTES}, id="too-big"),
    ],
)
@pytest.mark.parametrize("field", ["subject", "before", "after"])
def test_a_document_without_a_canonical_form_is_refused(field: str, document: dict[Any, Any]) -> None:
    with pytest.raises(ValueError, match=r"representable|safe integer|strings|unsupported|non-UTF-8|fit"):
        record(actor=MANAGER, action="release.requested", **{field: document})  # type: ignore[arg-type]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("actor", "service_id"),
    [
        (Actor(id="7" * 65, name="mona", via="page"), ""),
        (Actor(id="7", name="mona", via="page" * 6), ""),
        (MANAGER, "s" * 65),
    ],
    ids=["actor", "via", "service"],
)
def test_an_identifier_that_does_not_fit_is_refused(actor: Actor, service_id: str) -> None:
    with pytest.raises(ValueError, match="of an audit event has"):
        record(actor=actor, action="release.requested", service_id=service_id)


@pytest.mark.django_db
@pytest.mark.parametrize("action", ["release.abducted", "", "r" * 81, "Release.requested"])
def test_an_action_that_is_not_in_the_list_is_refused(action: str) -> None:
    with pytest.raises(ValueError, match=r"no action of the trail: audit/actions\.py"):
        record(actor=MANAGER, action=action)


@pytest.mark.django_db
def test_a_long_reason_or_name_is_cut_visibly() -> None:
    event = record(
        actor=Actor(id="7", name="m" * 300, via="page"), action="step.failed", reason="x" * 1_000_000
    )

    assert len(event.actor_name) == 200
    assert event.actor_name.endswith("m… [cut from 300 characters]")
    assert len(event.reason) == 4000
    assert event.reason.endswith("x… [cut from 1000000 characters]")


@pytest.mark.django_db
def test_a_nul_in_a_reason_is_made_visible() -> None:
    event = record(actor=MANAGER, action="step.failed", reason="a\0b")

    assert AuditEvent.objects.get(pk=event.pk).reason == "a\N{REPLACEMENT CHARACTER}b"


@pytest.mark.django_db
def test_an_unknown_way_of_acting_is_refused_by_the_database() -> None:
    with pytest.raises(IntegrityError, match="audit_via_known"), transaction.atomic():
        record(actor=Actor(id="7", name="mona", via="telepathy"), action="release.requested")
