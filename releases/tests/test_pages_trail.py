"""The audit trail: searching it, one event, and what is taken along as a file."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.utils.html import escape

from audit import events, search
from audit.context import acting_in
from audit.events import Actor
from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.domain.access.roles import Role
from releases.permissions import grant
from releases.services.access.roles import EVERYWHERE, record_given
from releases.tests import factories
from releases.tests.conftest import text_of

# The connection is given back between two parts of an answer, which a test's own transaction would not outlive.
streams = pytest.mark.django_db(transaction=True)


@pytest.fixture
def happened(scene):
    @transaction.atomic
    def record(who: str, action: str, reason: str = "", *, service=scene.service) -> AuditEvent:
        return events.record(
            actor=Actor(id="1", name=who, via="page"),
            action=action,
            service_id=str(service.pk) if service else "",
            subject={"release": str(scene.release.pk), "number": scene.release.number},
            reason=reason,
        )

    return record


@pytest.fixture
def client(scene, as_user) -> Client:
    return as_user(scene.manager)


def found(client: Client, query: str) -> list[str]:
    return [event.who for event in client.get(f"/audit/?{query}").context["events"]]


def test_the_page_says_who_did_what_where_when_and_why(client, scene, happened):
    happened("rosa", "release.requested", "Fix the <VAT>")
    page = text_of(client.get("/audit/"))
    for words in ("rosa", "requested the release", "Fix the &lt;VAT&gt;", "UTC"):
        assert words in page
    assert f'href="/services/catalog/releases/{scene.release.number}/"' in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["ivo", "rosa"]),
        ("who=ivo", ["ivo"]),
        ("what=plan.approved", ["ivo"]),
        ("who=rosa&what=plan.approved", []),
        ("q=vat", ["rosa"]),
        ("service=catalog", ["ivo", "rosa"]),
        ("service=catalog&release={number}", ["ivo", "rosa"]),
        ("since={first_day}", ["ivo", "rosa"]),
        ("since={first_day}&until={last_day}", ["ivo", "rosa"]),
        ("until=2001-01-01", []),
        ("since=2099-01-01", []),
    ],
)
def test_events_are_found_by_the_address(client, scene, happened, query, expected):
    happened("rosa", "release.requested", "Fix the VAT")
    happened("ivo", "plan.approved")
    first, last = AuditEvent.objects.order_by("pk").values_list("at", flat=True)
    days = {"first_day": f"{first:%Y-%m-%d}", "last_day": f"{last:%Y-%m-%d}"}
    assert found(client, query.format(number=scene.release.number, **days)) == expected


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("since=nonsense", "Enter a valid date."),
        ("since=2026-02-02&until=2026-02-01", "The period ends before it begins."),
        ("service=elsewhere", "You see the trail of no service that is called so."),
        ("release=1", "Name its service too"),
        ("service=catalog&release=77{number}", "catalog has no release of this number."),
        ("what=step.exploded", "Select a valid choice."),
        ("q=!?", "Type a word"),
        ("request=<script>", "Enter a valid value."),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_is_found_by_it(client, scene, happened, query, words):
    happened("rosa", "release.requested")
    response = client.get(f"/audit/?{query.format(number=scene.release.number)}")
    assert response.status_code == 422
    assert words in text_of(response)
    assert response.context["events"] == []


def test_a_wrong_page_is_refused_too(client, happened):
    assert client.get("/audit/?before=nonsense").status_code == 422


def test_it_comes_in_pages_that_keep_the_search(client, happened):
    for number in range(51):
        happened("rosa", "step.done", f"number {number}")
    newest = client.get("/audit/?who=rosa")
    older = client.get(f"/audit/?{newest.context['older']}")
    assert len(newest.context["events"]) == 50
    assert [event.why for event in older.context["events"]] == ["number 0"]
    assert older.context["form"]["who"].value() == "rosa"
    assert '<a href="?who=rosa">The newest ones</a>' in text_of(older)


def test_where_it_has_not_seen_everything_yet_it_says_how_far_it_has_looked(client, happened, monkeypatch):
    monkeypatch.setattr(search, "LOOKED_THROUGH", 3)
    for _ in range(8):
        happened("rosa", "step.done")
    page = client.get("/audit/?who=rosa&until=2001-01-01")
    assert "Nothing matches" in text_of(page)  # by the time that ids have, nothing is left to look through
    day_before = AuditEvent.objects.earliest("at").at - timedelta(days=1)
    page = client.get(f"/audit/?who=rosa&until={day_before:%Y-%m-%d}")
    assert "Looked back to" in text_of(page)
    assert "Look further back" in text_of(page)


def test_a_search_without_a_match_leads_back_to_everything(client):
    page = text_of(client.get("/audit/?who=nobody"))
    assert "Nothing matches" in page
    assert "See everything" in page


def test_one_press_leads_to_each_of_the_last_days_and_keeps_the_rest(client, happened):
    happened("rosa", "release.requested")
    page = text_of(client.get("/audit/?who=rosa"))
    day = datetime.now(UTC).date() - timedelta(days=3)
    assert f'<a href="?who=rosa&amp;since={day}&amp;until={day}">{day:%A} {day.day}</a>' in re.sub(
        r"\s+>", ">", page
    )
    chosen = client.get(f"/audit/?who=rosa&since={day}&until={day}").context["periods"]
    assert [period["name"] for period in chosen if period["is_chosen"]] == [f"{day:%A} {day.day}"]
    usual = client.get("/audit/").context["periods"]
    assert [period["name"] for period in usual if period["is_chosen"]] == ["Any time"]


def test_a_service_s_and_a_release_s_page_lead_to_their_own_events(client, scene):
    assert 'href="/audit/?service=catalog"' in text_of(client.get("/services/catalog/"))
    release = f"/services/catalog/releases/{scene.release.number}/"
    assert f'href="/audit/?service=catalog&amp;release={scene.release.number}"' in text_of(
        client.get(release)
    )
    assert client.get("/services/catalog/trail/").url == "/audit/?service=catalog"


@streams
def test_nobody_finds_what_is_not_theirs_to_see(client, scene, happened):
    other = factories.ServiceFactory.create(name="other")
    theirs = happened("eve", "step.done", service=other)
    nobodys = happened("eve", "person.signed-in", service=None)
    assert found(client, "") == found(client, "who=eve") == found(client, "q=eve") == []
    for event in (theirs, nobodys):
        assert client.get(f"/audit/{event.pk}/").status_code == 404
    exported = b"".join(post_export(client, "csv")).decode()
    assert [event for event in (theirs, nobodys) if str(event.pk) in exported] == []
    told = AuditEvent.objects.filter(action="access.refused").values_list("subject__path", flat=True)
    assert set(told) == {f"/audit/{event.pk}/" for event in (theirs, nobodys)}
    grant(scene.manager, other, Permission.VIEW)
    assert found(client, "who=eve") == []
    grant(scene.manager, other, Permission.AUDIT)
    assert found(client, "who=eve") == ["eve"]


@pytest.mark.parametrize(("role", "sees"), [(Role.AUDITOR, True), (Role.ADMIN, True), (Role.OPERATOR, False)])
def test_an_auditor_of_everything_also_finds_what_belongs_to_no_service(scene, happened, as_user, role, sees):
    event = happened("eve", "person.signed-in", service=None)
    record_given(role, scene.operator, EVERYWHERE, actor=Actor(id="", name="tests", via="command"))
    client = as_user(scene.operator)
    assert found(client, "who=eve") == (["eve"] if sees else [])
    assert client.get(f"/audit/{event.pk}/").status_code == (200 if sees else 404)


def test_who_may_see_no_trail_is_told_whose_it_is(scene, happened, as_user):
    happened("rosa", "release.requested")
    client = as_user(scene.operator)
    assert "No trail is yours to see" in text_of(client.get("/audit/"))
    assert found(client, "") == []
    page = text_of(client.get("/services/catalog/"))
    assert "Trail (for managers and auditors)" in page
    assert 'href="/audit/?service=catalog"' not in page


def test_an_event_is_shown_as_it_is_recorded(client, scene):
    with acting_in(request_id="ab12", address="192.0.2.9"):
        event = events.record(
            actor=Actor(id="7", name="rosa", via="page"),
            action="release.share-set",
            service_id=str(scene.service.pk),
            before={"share": 10},
            after={"share": 25},
            reason="<b>now</b>",
        )
    page = text_of(client.get(f"/audit/{event.pk}/"))
    for words in (
        "rosa set the share",
        "release.share-set",
        '"share": 25',
        "192.0.2.9",
        event.digest,
        "&lt;b&gt;now",
    ):
        assert words in page or escape(words) in page
    assert 'href="/audit/?request=ab12"' in page
    assert found(client, "request=ab12") == ["rosa"]


def post_export(client: Client, form: str, **asked: str):
    return client.post("/audit/export/", {"as": form, **asked})


@streams
def test_what_was_found_is_taken_along_as_csv_that_no_spreadsheet_takes_for_formulas(client, happened):
    happened("müller", "release.requested", '=HYPERLINK("http://evil","x")')
    for begin in ("+", "-", "@", "\t", "\r"):
        happened("müller", "step.done", f"{begin}1")
    happened("other", "step.done")
    answer = post_export(client, "csv", who="müller")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="audit-[0-9-]+\.csv"', answer["Content-Disposition"])
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8"), newline="")))
    assert {row["actor"] for row in rows} == {"müller"}
    assert [row["reason"] for row in rows] == [
        "'\r1",
        "'\t1",
        "'@1",
        "'-1",
        "'+1",
        '\'=HYPERLINK("http://evil","x")',
    ]
    assert {row["service"] for row in rows} == {"catalog"}


@streams
def test_what_was_found_is_taken_along_as_json_lines(client, happened):
    event = happened("müller", "release.requested", "why")
    [line] = b"".join(post_export(client, "jsonl", q="why")).decode().splitlines()
    taken = json.loads(line)
    assert (taken["id"], taken["digest"], taken["actor_name"]) == (str(event.pk), event.digest, "müller")
    assert taken["subject"] == event.subject


def test_that_something_was_taken_along_is_an_event_with_what_was_asked_for(client, happened, scene):
    post_export(client, "csv", who="rosa", since="2026-01-01")
    event = AuditEvent.objects.get(action="audit.exported")
    assert event.actor_name == scene.manager.username
    assert event.after == {"search": {"who": "rosa", "since": "2026-01-01"}, "form": "csv"}


@pytest.mark.parametrize("sent", [{"as": "exe"}, {}, {"as": "csv", "since": "nonsense"}])
def test_what_cannot_be_taken_along_leads_back_to_the_page_and_leaves_no_event(client, sent):
    answer = client.post("/audit/export/", sent)
    assert answer.status_code == 302
    assert answer.url.startswith("/audit/?")
    assert not AuditEvent.objects.filter(action="audit.exported").exists()


@streams
def test_an_export_is_read_some_events_at_a_time(client, happened, monkeypatch):
    for number in range(7):
        happened("rosa", "step.done", f"number {number}")
    monkeypatch.setattr(search, "AT_ONCE", 3)
    parts = list(post_export(client, "jsonl", who="rosa"))
    assert [part.count(b"\n") for part in parts if part] == [3, 3, 1]
