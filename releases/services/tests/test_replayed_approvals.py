"""An old form, an old request, somebody else's plan, more fields than a form has: nothing is approved by them."""

from uuid import uuid4

import pytest

from audit.models import AuditEvent
from releases.models import Approval, Release, Step
from releases.services import release_acts
from releases.services.approval import approvals
from releases.services.tests.roads import (
    ROADS,
    api_address,
    body_of,
    by_api,
    by_page,
    form_of,
    found_by_the_worker,
    said,
    signed_in,
)
from releases.tests.api import call, problem, secret_of


@pytest.fixture
def at_the_gate(life):
    """A release at its canary, which is started and waits for one approval."""
    life.release = life.request()
    life.start()
    life.start()
    return life


def none_by_any_road(life, form: dict[str, str], why: str) -> None:
    """A manager sends this form: it is not theirs that is wrong, so that they are told, and nothing comes of it."""
    before, applied = Approval.objects.count(), len(life.world.applied)
    answers = [road(life, life.manager, form) for road in ROADS]
    assert [one.status_code for one in answers] == [409, 409, 302, 412]
    assert why in said(answers[0])
    assert why in said(answers[3])
    life.world.work()
    assert (Approval.objects.count(), len(life.world.applied)) == (before, applied)


OTHER = "The plan is another one by now"


def test_the_form_of_a_plan_that_was_made_again(at_the_gate):
    life, form = at_the_gate, form_of(at_the_gate)
    approvals.approve(**life.shown(), user=life.manager)
    found_by_the_worker(life, "", lambda: Approval.objects.update(withdrawn_at=life.release.requested_at))
    none_by_any_road(life, form, OTHER)


def test_the_form_of_a_plan_that_was_rejected(at_the_gate):
    life = at_the_gate
    life.approve()
    life.start()
    assert life.step().transition == "shift"
    life.go_to(50)
    life.start()
    form = form_of(life)
    life.reject()
    release_acts.retry(step_id=life.step().pk, user=life.operator)
    life.world.work()
    none_by_any_road(life, form, OTHER)


def test_the_form_of_another_release_with_the_very_same_changes(at_the_gate):
    life = at_the_gate
    first, form = life.step(), form_of(life)
    life.approve()
    life.roll_back()
    life.world.work()
    life.release = life.request()
    life.start()
    if life.step().transition != "canary":
        life.start()
    assert life.step().transition == "canary"
    none_by_any_road(life, form, OTHER)
    old_address = f"/services/shop/steps/{first.pk}/approve/"
    assert signed_in(life.manager).post(old_address, form).status_code == 409
    assert not Approval.objects.filter(step=life.step()).exists()


def test_the_approval_of_another_release_with_the_very_same_changes_is_no_use_to_the_worker(at_the_gate):
    life, first = at_the_gate, at_the_gate.step()
    life.approve()
    life.roll_back()
    life.world.work()
    life.release = life.request()
    while life.step().transition != "canary":
        life.start()
    life.start()
    approvals.approve(**life.shown(), user=life.manager)
    of_this_one = Approval.objects.filter(step=life.step())
    found_by_the_worker(life, "waits for an approval", lambda: of_this_one.update(step=first))


def test_a_request_of_the_api_whose_approval_was_taken_back(at_the_gate):
    """Its key brings the old answer again, and no approval."""
    life, sent = at_the_gate, body_of(form_of(at_the_gate))
    secret, key = secret_of(life.manager), {"Idempotency-Key": "one"}
    address = api_address(life)
    assert call(secret, "POST", address, sent, **key).status_code == 200
    approvals.withdraw(step_id=life.step().pk, user=life.manager)
    again = call(secret, "POST", address, sent, **key)
    assert again["Idempotent-Replayed"] == "true"
    life.world.work()
    assert not Approval.objects.filter(withdrawn_at=None).exists()
    assert not life.now().activate_canary


def test_a_key_of_somebody_else_brings_nobody_else_s_answer(at_the_gate):
    life, sent = at_the_gate, body_of(form_of(at_the_gate))
    key = {"Idempotency-Key": "one"}
    assert call(secret_of(life.manager), "POST", api_address(life), sent, **key).status_code == 200
    problem(call(secret_of(life.requester), "POST", api_address(life), sent, **key), 403)


EXTRA = {
    "approved": "true",
    "decided_by": "2",
    "requested_by": "2",
    "status": "done",
    "decision": "approved",
    "user": "mona",
    "four_eyes": "false",
    "started_by": "2",
    "gate": "false",
    "is_service_account": "false",
    "epoch": "9",
}


@pytest.mark.parametrize("field", EXTRA)
def test_a_field_more_in_an_approval_is_refused_by_the_api_and_means_nothing_on_the_page(at_the_gate, field):
    life, form = at_the_gate, form_of(at_the_gate, **{field: EXTRA[field]})
    document = problem(by_api(life, life.manager, form), 422)
    assert [one["field"] for one in document["errors"]] == [field]
    assert by_page(life, life.requester, form).status_code == 403
    assert not Approval.objects.exists()
    assert by_page(life, life.manager, form).status_code == 302
    given = Approval.objects.get()
    assert (given.decided_by, given.step, given.epoch) == (life.manager, life.step(), life.service.epoch)


REQUEST = {"tag": "v2", "weights": "10, 50", "bake_seconds": "0", "canary": "on", "reason": "why"}


def test_fields_more_in_a_request_change_nothing_of_what_comes_of_it(life, monkeypatch):
    """Whoever asks decides neither who asked, nor that it is approved, nor that it runs."""
    monkeypatch.setattr("aws.images.list_images", lambda *_: [])
    sent = {"tag": "v2", "weights": [10, 50], "bake_seconds": 0}
    for field, value in EXTRA.items():
        answer = call(
            secret_of(life.requester),
            "POST",
            "/services/shop/releases",
            sent | {field: value},
            **{"Idempotency-Key": uuid4().hex},
        )
        assert [one["field"] for one in problem(answer, 422)["errors"]] == [field]
    assert not Release.objects.exists()
    answer = signed_in(life.requester).post("/services/shop/request/", REQUEST | EXTRA)
    assert answer.status_code == 302
    life.release = Release.objects.get()
    assert life.release.requested_by == life.requester
    assert (life.release.status, life.release.changed_by) == ("open", None)
    assert [step.gate for step in Step.objects.filter(transition__in=["canary", "promote"])] == [True, True]
    assert not Approval.objects.exists()
    life.world.work()
    life.start()
    life.start()
    assert not life.now().activate_canary
    assert not AuditEvent.objects.filter(action__endswith=".approved").exists()
