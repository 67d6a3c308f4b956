"""The report over a period: computed from the trail, of what one may see."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.models import RoleGrant, Service
from releases.permissions import grant
from releases.tests import factories
from releases.tests.conftest import text_of
from releases.tests.test_pages_queries import queries_of

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MARCH = "since=2026-03-01&until=2026-03-31"


def tell(service: Service | None, action: str, minutes: float, *, actor: str = "Bluegreen", **more) -> None:
    """An event at a time of its own, which the trail's one writer does not let one choose."""
    AuditEvent.objects.create(
        at=NOON + timedelta(minutes=minutes), actor_name=actor, via="page", action=action,
        service_id=str(service.pk) if service else "", digest="0" * 64, **more,
    )  # fmt: skip


def tell_release(service: Service, begin: float, *, rolled_back: bool = False) -> None:
    """Requested, half of the users after 30 minutes, and after an hour everyone, or taken back by the button."""
    about = {"release": str(uuid4())}
    step = {**about, "step": str(uuid4())}
    tell(service, "release.requested", begin, actor="rosa", subject=about)
    tell(service, "step.planned", begin + 1, subject=step)
    tell(service, "plan.approved", begin + 21, actor="ana", subject=step)
    tell(service, "step.verified", begin + 30, subject={**step, "transition": "shift"})
    if rolled_back:
        press = {**about, "rollback": str(uuid4())}
        tell(service, "rollback.pressed", begin + 60, actor="ivo", subject=press)
        tell(service, "rollback.traffic-back", begin + 61, subject=press)
        tell(service, "rollback.reason-given", begin + 70, actor="ivo", subject=press, reason="=5xx <b>")
    else:
        tell(service, "step.verified", begin + 60, subject={**step, "transition": "promote"})


@pytest.fixture
def reader(scene, as_user) -> Client:
    return as_user(scene.manager)


def figures_of(reader: Client, query: str = MARCH) -> dict:
    return json.loads(reader.get(f"/reports/report.json?{query}").content)


def test_the_dora_figures_come_from_the_trail(scene, reader):
    for begin in (0, 100, 200):
        tell_release(scene.service, begin)
    tell_release(scene.service, 300, rolled_back=True)
    found = figures_of(reader)["figures"]
    assert (found["requested"], found["deployed"], found["changed"]) == (4, 3, 4)
    assert found["deployed_per_week"] == 0.7
    assert found["lead_time"]["median"] == 3600
    assert found["failure_percent"] == 25
    assert found["time_to_restore"]["median"] == 31 * 60
    assert (found["button"]["median"], found["waits"]["median"]) == (60, 20 * 60)


def test_what_was_before_and_after_the_period_is_not_counted(scene, reader):
    tell_release(scene.service, -60 * 24 * 40)
    tell_release(scene.service, 60 * 24 * 40, rolled_back=True)
    report = figures_of(reader)
    assert (report["figures"]["requested"], report["figures"]["rollbacks"], report["rollbacks"]) == (0, 0, [])
    assert "No releases in this period" in text_of(reader.get(f"/reports/?{MARCH}"))


def test_what_one_may_not_see_is_in_no_figure(scene, reader):
    tell_release(factories.ServiceFactory.create(name="hidden"), 0, rolled_back=True)
    report = figures_of(reader)
    assert report["services"] == ["catalog"]
    assert report["figures"]["requested"] == 0
    assert report["people"] == []


def test_who_sees_no_trail_sees_no_report(scene, as_user):
    tell_release(scene.service, 0)
    viewer = as_user(scene.requester)
    assert "No report is yours to see" in text_of(viewer.get(f"/reports/?{MARCH}"))
    assert figures_of(viewer)["figures"]["requested"] == 0


def test_it_can_be_of_some_services_or_one_environment(scene, reader):
    others = [factories.ServiceFactory.create(name=name) for name in ("ledger", "search")]
    staging = factories.ServiceFactory.create(name="stage", environment="staging")
    for service in (*others, staging):
        grant(scene.manager, service, Permission.AUDIT)
        tell_release(service, 0)
    tell_release(scene.service, 0)
    expected = {
        "": ["catalog", "ledger", "search", "stage"],
        "&service=": ["catalog", "ledger", "search", "stage"],
        "&service=catalog": ["catalog"],
        "&service=catalog&service=ledger": ["catalog", "ledger"],
        "&environment=staging": ["stage"],
        "&environment=production&service=ledger&service=stage": ["ledger"],
    }
    for query, names in expected.items():
        report = figures_of(reader, f"{MARCH}{query}")
        assert (report["services"], report["figures"]["requested"]) == (names, len(names))


def test_the_services_that_were_chosen_stay_chosen(scene, reader):
    grant(scene.manager, factories.ServiceFactory.create(name="ledger"), Permission.AUDIT)
    query = f"{MARCH}&service=catalog&service=ledger"
    page = text_of(reader.get(f"/reports/?{query}"))
    assert page.count("&amp;service=catalog&amp;service=ledger") > 6
    assert page.count(" selected>") == 3
    reader.get(f"/reports/report.csv?{query}")
    asked = AuditEvent.objects.get(action="report.exported").after["asked"]
    assert asked["service"] == ["catalog", "ledger"]


def test_the_wait_of_a_request_is_from_when_it_was_asked_to_its_last_approval(scene, reader):
    about = {"release": str(uuid4())}
    for minutes, digest in ((10, "a"), (40, "a"), (90, "b")):
        asked = {"a": NOON, "b": NOON + timedelta(minutes=70)}[digest]
        tell(
            scene.service, "request.approved", minutes, actor="ana", subject=about,
            after={"request_digest": digest, "asked_at": asked.isoformat()},
        )  # fmt: skip
    report = figures_of(reader)
    assert (report["figures"]["waits"]["count"], report["figures"]["waits"]["median"]) == (2, 30 * 60)
    assert report["people"][0]["approved"] == 3


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("since=2026-03-02&until=2026-03-01", "The period ends before it begins."),
        ("since=2020-01-01&until=2026-03-01", "A report is about three years at most"),
        ("since=yesterday", "Enter a valid date."),
        ("until=9999-12-31", "less than or equal to 2100-01-01"),
        ("service=hidden", "Select a valid choice."),
        ("service=catalog&environment=other", "Select a valid choice."),
    ],
)
def test_what_cannot_be_reported_about_is_said_at_its_field(reader, query, problem):
    response = reader.get(f"/reports/?{query}")
    assert response.status_code == 422
    assert problem in text_of(response)
    assert reader.get(f"/reports/report.csv?{query}").status_code == 422


def test_people_are_told_with_what_they_decided(scene, reader):
    tell_release(scene.service, 0)
    tell(scene.service, "plan.rejected", 5, actor="ana", subject={"step": "x"})
    tell(scene.service, "request.rejected", 6, actor="ana", subject={"step": "x"})
    tell(scene.service, "request.approval-withdrawn", 6, actor="ana", subject={"step": "x"})
    tell(scene.service, "gate.glass-broken", 7, actor="ivo", after={"glass": "1"})
    tell(scene.service, "gate.break-reviewed", 8, actor="ana", after={"glass": "1"})
    tell(scene.service, "access.refused", 5, actor="eve", subject={})
    people = {person["name"]: person for person in figures_of(reader)["people"]}
    assert people["ana"] == {
        "name": "ana", "approved": 1, "rejected": 2, "withdrawn": 1, "broke": 0, "reviewed": 1, "refused": 0,
    }  # fmt: skip
    assert (people["ivo"]["broke"], people["eve"]["refused"]) == (1, 1)
    assert "Refused</dt> <dd> 1 time </dd>" in text_of(reader.get(f"/reports/?{MARCH}"))


def test_rollbacks_and_broken_glasses_are_told_one_by_one(scene, reader):
    tell_release(scene.service, 0, rolled_back=True)
    for glass in ("a", "b"):
        tell(scene.service, "gate.glass-broken", 5, actor="ivo", after={"glass": glass}, reason="night")
    tell(scene.service, "gate.break-reviewed", 9, actor="ana", after={"glass": "b"}, reason="was <needed>")
    report = figures_of(reader)
    (rollback,) = report["rollbacks"]
    assert (rollback["service"], rollback["pressed_by"], rollback["reason"]) == ("catalog", "ivo", "=5xx <b>")
    by_reviewer = {broken["reviewed_by"]: broken for broken in report["broken_glasses"]}
    assert set(by_reviewer) == {"", "ana"}
    assert (by_reviewer["ana"]["reason"], by_reviewer["ana"]["review"]) == ("night", "was <needed>")
    assert by_reviewer["ana"]["reviewed_at"] == (NOON + timedelta(minutes=9)).isoformat()
    page = text_of(reader.get(f"/reports/?{MARCH}"))
    assert "Nobody else has reviewed it yet." in page
    assert "2026-03-10 12:09:00 UTC</time>: was &lt;needed&gt;" in page


def test_of_very_many_rollbacks_and_broken_glasses_the_newest_are_told_and_it_says_so(
    scene, reader, monkeypatch
):
    monkeypatch.setattr("releases.services.reports.period_reports.MOST_ROWS", 1)
    for begin in (0, 10):
        tell_release(scene.service, begin, rolled_back=True)
        tell(scene.service, "gate.glass-broken", begin, actor="ivo", after={"glass": str(begin)})
    report = figures_of(reader)
    assert [report["rollbacks_are_all"], report["broken_glasses_are_all"]] == [False, False]
    assert report["broken_glasses"][0]["at"] == (NOON + timedelta(minutes=10)).isoformat()
    assert text_of(reader.get(f"/reports/?{MARCH}")).count("Only the newest 1 are here.") == 2


def test_access_is_told_as_it_was_at_the_end_of_that_day(scene, reader):
    ana = {"person": "ana", "role": "approver", "service": "catalog", "environment": ""}
    tell(None, "role.given", 0, subject=ana)
    tell(None, "role.given", 0, subject={**ana, "person": "eve", "service": "hidden"})
    tell(None, "role.given", 0, subject={**ana, "person": "leo", "role": "viewer"})
    tell(None, "role.taken", 60 * 24, subject=ana)
    on_the_day = figures_of(reader, f"{MARCH}&on=2026-03-10")["access"]
    assert [(could["person"], could["role"], could["service"]) for could in on_the_day] == [
        ("ana", "approver", "catalog")
    ]
    assert figures_of(reader, f"{MARCH}&on=2026-03-11")["access"] == []


def test_access_on_a_day_knows_members_accounts_and_roles_that_no_event_tells_of(scene, reader):
    """The members of a group as they were then, who was let in then, and roles that a migration gave."""
    leads = Group.objects.create(name="leads")
    roles = [
        RoleGrant.objects.create(role="manager", group=leads, service=scene.service),
        RoleGrant.objects.create(role="approver", user=scene.operator, service=scene.service),
        RoleGrant.objects.create(role="approver", user=scene.requester, service=scene.service),
    ]
    RoleGrant.objects.filter(pk__in=[one.pk for one in roles[:2]]).update(given_at=NOON - timedelta(days=30))
    factories.UserFactory.create(username="mia").groups.add(leads)
    day = 60 * 24
    tell(None, "group.member-added", -day, subject={"group": "leads", "person": "sam"})
    tell(None, "group.member-added", -day, subject={"group": "leads", "person": "eve"})
    tell(None, "person.deactivated", -day, subject={"person": "eve"})
    tell(None, "group.member-removed", day, subject={"group": "leads", "person": "sam"})
    tell(None, "group.member-removed", day, subject={"group": "leads", "person": "leo"})
    tell(None, "group.member-added", day, subject={"group": "leads", "person": "tom"})
    tell(None, "person.reactivated", day, subject={"person": "eve"})
    on_the_day = figures_of(reader, f"{MARCH}&on=2026-03-10")["access"]
    assert [(could["person"], could["role"], could["group"]) for could in on_the_day] == [
        ("leo", "manager", "leads"),
        ("mia", "manager", "leads"),
        ("operator", "approver", ""),
        ("sam", "manager", "leads"),
    ]
    later = figures_of(reader, f"{MARCH}&on=2026-03-12")["access"]
    assert [could["person"] for could in later] == ["eve", "mia", "operator", "tom"]
    assert "leads" in text_of(reader.get(f"/reports/?{MARCH}&on=2026-03-10"))


def test_the_csv_has_no_formula(scene, reader):
    tell_release(scene.service, 0, rolled_back=True)
    response = reader.get(f"/reports/report.csv?{MARCH}")
    rows = list(csv.reader(io.StringIO(response.content.decode(), newline="")))
    assert ["figures.lead_time", "", "count", "0"] in rows or [
        "all",
        "",
        "figures.lead_time.count",
        "0",
    ] in rows
    assert ["rollbacks", "1", "reason", "'=5xx <b>"] in rows
    assert response["Content-Disposition"] == 'attachment; filename="report-2026-03-01-2026-03-31.csv"'


def test_taking_it_along_is_an_event_with_what_was_asked(reader):
    reader.get(f"/reports/report.csv?{MARCH}&x=y")
    reader.get(f"/reports/?{MARCH}")
    event = AuditEvent.objects.get(action="report.exported")
    assert event.after == {"asked": {"since": "2026-03-01", "until": "2026-03-31"}, "form": "csv"}


def test_there_is_no_other_form(reader):
    assert reader.get("/reports/report.exe").status_code == 404


def test_many_releases_need_as_many_queries_as_one(scene, reader):
    tell_release(scene.service, 0, rolled_back=True)
    one = queries_of(reader, f"/reports/?{MARCH}")
    for begin in range(0, 200, 10):
        tell_release(scene.service, begin, rolled_back=True)
        tell(scene.service, "gate.glass-broken", begin, after={"glass": str(begin)})
        grant(scene.manager, factories.ServiceFactory.create(), Permission.VIEW)
    assert queries_of(reader, f"/reports/?{MARCH}") == one
