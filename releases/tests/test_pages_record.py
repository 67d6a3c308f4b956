"""The change record: a page, a PDF, JSON and CSV that say the same."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import AuditEvent
from releases.domain.approval.approval_policy import PlanIdentity
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.domain.reports.change_record import MOST_EVENTS
from releases.domain.reports.printable import kept_characters
from releases.models import Approval, BrokenGlass, EmergencyRollback, Press, Release, Step
from releases.pdf import make_pdf
from releases.services import lifecycle, states
from releases.services.approval import break_glass
from releases.services.approval.approvals import approve
from releases.services.lifecycle import SYSTEM, change_step, person, record_release
from releases.tests import factories
from releases.tests.conftest import text_of
from terraform_runner.models import Run

NASTY = "=cmd|calc <script>alert(1)</script> #panic() $x$ 中🎉\u202e \"'&amp;"


@pytest.fixture
def address(scene) -> str:
    return f"/services/catalog/releases/{scene.release.number}/record"


@pytest.fixture
def reader(scene, as_user) -> Client:
    return as_user(scene.manager)


def verify(step: Step, share: int, *, canary: bool) -> None:
    """The step was applied, and this was read back."""
    state = step.service.state.with_candidate_share(share).with_canary(canary, ["127.0.0.9/32"])
    step.apply_run = Run.objects.create(
        workspace=str(step.service_id), operation="apply", plan_run=step.plan_run, status="succeeded", exit_code=0,
        started_at=timezone.now(), ended_at=timezone.now(), state_serial=8,
    )  # fmt: skip
    step.status = StepStatus.APPLYING.value
    step.save()
    change_step(
        step, StepStatus.DONE, actor=SYSTEM, action="step.verified", state_after=states.to_json(state)
    )


@pytest.fixture
def told(scene) -> Release:
    """A release with an approval, a canary, half of the users, and a press of the button, all with a nasty reason."""
    run = scene.canary.plan_run
    shown = PlanIdentity(sha256=run.plan_sha256, changes_digest=run.changes_digest)
    approve(step_id=scene.canary.pk, user=scene.manager, shown=shown, comment=NASTY)
    scene.canary.refresh_from_db()
    verify(scene.canary, 0, canary=True)
    shift = factories.waiting_step(scene.step(50))
    verify(shift, 50, canary=True)
    converge = Step.objects.create(
        service=scene.service,
        transition="rollback",
        candidate_share=0,
        status="done",
        ended_at=timezone.now(),
    )
    now = timezone.now()
    rollback = EmergencyRollback.objects.create(
        service=scene.service, release=scene.release, epoch=1, pressed_by=scene.operator, pressed_at=now,
        traffic_back_at=now + timedelta(seconds=1), reason=NASTY, converge=converge,
    )  # fmt: skip
    for name, press_id, later in (("operator", rollback.pk, 0), ("manager", converge.pk, 1)):
        Press.objects.create(
            id=press_id, service=scene.service, rollback=rollback, name=name, via="page",
            pressed_at=now + timedelta(milliseconds=later),
        )  # fmt: skip
    Release.objects.filter(pk=scene.release.pk).update(
        status=ReleaseStatus.ROLLED_BACK.value, ended_at=now, reason=NASTY
    )
    return scene.release


def document(reader: Client, address: str) -> dict:
    return json.loads(reader.get(f"{address}.json").content)


def test_the_record_says_who_asked_what_for_and_why(scene, told, reader, address):
    record = document(reader, address)
    assert (record["requested_by"], record["reason"]) == ("requester", NASTY)
    assert (record["from_tag"], record["tag"], record["image"]) == ("blue", "green", scene.release.image)
    assert (record["status"], record["result"]) == (
        "rolled back",
        f"Rolled back: everyone was back on blue. {NASTY}",
    )


def test_an_approval_is_there_with_what_was_seen(scene, told, reader, address):
    (approval,) = document(reader, address)["approvals"]
    run = scene.canary.plan_run
    assert (approval["by"], approval["step"], approval["comment"]) == ("manager", "Canary", NASTY)
    assert (approval["plan_sha256"], approval["changes_digest"]) == (run.plan_sha256, run.changes_digest)
    assert approval["compared"] == "this very plan"


def test_a_decision_on_the_request_is_told_from_one_on_a_plan(scene, reader, address):
    digest = factories.digest("request")
    Approval.objects.create(
        step=scene.canary, plan_sha256=digest, changes_digest=digest, epoch=0, decision="approved",
        decided_by=scene.manager,
    )  # fmt: skip
    asked = "2026-05-01T08:00:00+00:00"
    lifecycle.record(
        scene.service, scene.canary, actor=SYSTEM, action="request.approved",
        after={"request_digest": digest, "asked_at": asked},
    )  # fmt: skip
    (approval,) = document(reader, address)["approvals"]
    assert (approval["step"], approval["asked_at"]) == ("Request", asked)
    assert (approval["plan_sha256"], approval["changes_digest"]) == ("", digest)
    page = text_of(reader.get(f"{address}/"))
    assert 'asked since <time datetime="2026-05-01T08:00:00+00:00">2026-05-01 08:00:00 UTC</time>' in page


def test_a_broken_glass_has_who_why_and_its_review(scene, reader, address):
    broken = factories.broken_glass(scene.canary, scene.operator)
    BrokenGlass.objects.update(reason=NASTY)
    (told,) = document(reader, address)["broken_glasses"]
    assert (told["step"], told["by"], told["reason"]) == ("Canary", "operator", NASTY)
    assert (told["reviewed_by"], told["reviewed_at"]) == ("", None)
    assert "Nobody else has reviewed it yet." in text_of(reader.get(f"{address}/"))
    break_glass.review(broken_id=broken.pk, user=scene.manager, comment="=needed")
    (told,) = document(reader, address)["broken_glasses"]
    broken.refresh_from_db()
    assert (told["reviewed_by"], told["review"]) == ("manager", "=needed")
    assert broken.reviewed_at
    assert told["reviewed_at"] == broken.reviewed_at.isoformat()
    rows = reader.get(f"{address}.csv").content.decode()
    assert "broken_glasses,1,review,'=needed" in rows
    assert reader.get(f"{address}.pdf").content.startswith(b"%PDF-")
    assert f"{broken.reviewed_at:%Y-%m-%d %H:%M:%S} UTC</time>: =needed" in text_of(reader.get(f"{address}/"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ("same", "the same changes, or more of them, in an earlier plan"),
        ("other", "another plan, with other changes"),
    ],
)
def test_an_approval_of_another_plan_is_told_from_one_of_this(scene, reader, address, changes, words):
    approval = factories.approve(scene.canary, scene.manager)
    approval.plan_sha256 = factories.digest("earlier")
    approval.changes_digest = approval.changes_digest if changes == "same" else factories.digest("other")
    approval.save()
    assert document(reader, address)["approvals"][0]["compared"] == words


def test_the_traffic_is_what_was_read_back_until_everyone_was_back(told, reader, address):
    moments = document(reader, address)["traffic"]
    assert [(moment["what"], moment["share"], moment["canary"]) for moment in moments] == [
        ("Requested", 0, False),
        ("Canary", 0, True),
        ("Shift to 50 %", 50, True),
        ("Rolled back", 0, False),
    ]


def test_each_step_has_its_plan_and_what_came_of_it(told, scene, reader, address):
    steps = {step["title"]: step for step in document(reader, address)["steps"]}
    canary = steps["Canary"]
    assert canary["risk"].startswith("needs a look: No release of this service has done this step before.")
    assert canary["summary"].startswith("Sends only 127.0.0.9/32 to green · green")
    assert canary["plan_sha256"] == scene.canary.plan_run.plan_sha256
    assert (canary["exit_code"], canary["state_serial_after"]) == (0, 8)
    assert canary["verified_at"]
    assert steps["Promote"]["plan_sha256"] == ""


def test_a_rollback_has_all_who_pressed_and_its_reason(told, reader, address):
    (rollback,) = document(reader, address)["rollbacks"]
    assert (rollback["pressed_by"], rollback["reason"]) == ("operator (page), manager (page)", NASTY)
    assert rollback["traffic_back_at"] > rollback["pressed_at"]


@pytest.mark.django_db(transaction=True)
def test_events_have_their_place_in_the_chain(scene, reader, address):
    with transaction.atomic():
        record_release(
            scene.release, actor=person(scene.requester), action="release.requested", before={}, after={}
        )
    (event,) = document(reader, address)["events"]
    stored = AuditEvent.objects.select_related("link").get(action="release.requested")
    assert (event["number"], event["hash"]) == (stored.link.number, stored.link.hash)
    assert event["digest"] == stored.digest


def test_of_very_many_events_the_first_are_there_and_it_says_so(scene, reader, address, monkeypatch):
    monkeypatch.setattr("releases.views.shown.change_record.MOST_EVENTS", 2)
    for _ in range(3):
        record_release(scene.release, actor=SYSTEM, action="release.tag-moved", before={}, after={})
    record = document(reader, address)
    assert (len(record["events"]), record["events_are_all"]) == (2, False)
    assert "Only the first 2 events are here" in text_of(reader.get(f"{address}/"))


def test_the_page_shows_it_and_runs_nothing_of_it(told, reader, address):
    page = reader.get(f"{address}/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert 'class="picture-line"' in page


def test_the_pdf_takes_nothing_of_it_for_code(told, reader, address):
    response = reader.get(f"{address}.pdf")
    assert response["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF-")


def test_the_csv_has_no_formula_and_all_fields(told, reader, address):
    rows = list(csv.reader(io.StringIO(reader.get(f"{address}.csv").content.decode(), newline="")))
    assert ["all", "", "reason", f"'{NASTY}"] in rows
    assert ["approvals", "1", "by", "manager"] in rows
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_each_file_that_is_taken_is_an_event(scene, reader, address):
    for form in ("pdf", "json", "csv"):
        response = reader.get(f"{address}.{form}")
        file_name = f"catalog-{scene.release}-change-record.{form}"
        assert response["Content-Disposition"] == f'attachment; filename="{file_name}"'
    taken = AuditEvent.objects.filter(action="release.record-exported").order_by("pk")
    assert [event.after for event in taken] == [{"form": "pdf"}, {"form": "json"}, {"form": "csv"}]
    assert {event.actor_name for event in taken} == {"manager"}


@pytest.mark.parametrize(
    ("ticket", "leads"),
    [("https://tickets.example/PAY-88", True), ("PAY-88", False), ("javascript:alert(1)", False)],
)
def test_the_ticket_leads_there_only_where_it_is_an_address(scene, reader, address, ticket, leads):
    Release.objects.filter(pk=scene.release.pk).update(ticket=ticket)
    assert (f'href="{ticket}"' in reader.get(f"{address}/").content.decode()) is leads
    assert document(reader, address)["ticket"] == ticket
    assert (f"/URI({ticket})".encode() in reader.get(f"{address}.pdf").content) is leads


def test_looking_at_the_page_is_none(reader, address):
    reader.get(f"{address}/")
    assert not AuditEvent.objects.filter(action="release.record-exported").exists()


def test_the_largest_record_is_a_pdf_still(scene, reader, address, monkeypatch):
    step = scene.canary
    Step.objects.filter(pk=step.pk).update(problem="x" * 100_000)
    event = record_release
    for _ in range(MOST_EVENTS // 20):
        event(
            scene.release, actor=SYSTEM, action="release.tag-moved", before={}, after={}, reason="é" * 9_000
        )
    response = reader.get(f"{address}.pdf")
    assert response.status_code == 200
    assert len(response.content) < 5_000_000


def test_the_fonts_have_each_character_that_is_kept(told, reader, address):
    record = document(reader, address)
    assert make_pdf(
        "change_record", {**record, "result": kept_characters()}, picture="<svg xmlns='http://www.w3.org/2000/svg'/>",
        made_at=timezone.now(),
    ).startswith(b"%PDF-")  # fmt: skip


def test_a_record_of_many_plans_needs_as_many_queries_as_one_of_one(
    scene, reader, address, django_assert_max_num_queries
):
    reader.get(f"{address}/")
    with CaptureQueriesContext(connection) as captured:
        reader.get(f"{address}/")
    for step in scene.release.steps.filter(transition="shift"):
        factories.approve(factories.waiting_step(step), scene.manager)
    with django_assert_max_num_queries(len(captured)):
        reader.get(f"{address}/")
