"""A request that waits at its gate, on the pages; and a plan that is another one by now under an open page."""

from copy import deepcopy

import pytest

from releases.domain.lifecycle import StepStatus
from releases.models import Approval, Policy, Step
from releases.services.approval import gates
from releases.tests import factories
from releases.tests.conftest import text_of
from releases.tests.test_pages_queries import queries_of

ASKED = {"gates": {"request": {"need": "always", "slots": ["anybody"]}}}


@pytest.fixture
def waiting(scene):
    """The scene's request asks, too, and its canary is not planned yet."""
    Policy.objects.create(service=scene.service, content=ASKED)
    Step.objects.filter(pk=scene.canary.pk).update(status=StepStatus.PENDING.value, plan_run=None, wanted=[])
    scene.canary.refresh_from_db()
    gates.ask(scene.service, scene.canary)
    return scene


@pytest.fixture
def address(scene) -> str:
    return f"/services/catalog/releases/{scene.release.number}/"


def decide(scene, name: str) -> str:
    return f"/services/catalog/steps/{scene.canary.pk}/{name}/"


def carried(response) -> dict[str, str]:
    """What the page's form of the decision carries."""
    identity = response.context["gate"].identity
    return {"sha256": identity.sha256, "changes_digest": identity.changes_digest}


def test_whoever_decides_sees_what_the_approval_is_bound_to(waiting, as_user, address):
    response = as_user(waiting.manager).get(address)
    page = text_of(response)
    assert "The request waits for somebody to approve it, 0 of 1: an approver is missing (@manager)" in page
    assert f"Approve request {carried(response)['sha256'][:4]}: green goes out by these steps" in page
    assert waiting.release.image in page
    assert "127.0.0.9/32" in page
    assert "Shift to 25 %" in page


def test_it_is_approved_on_its_page_and_the_page_says_by_whom(waiting, as_user, address):
    browser = as_user(waiting.manager)
    response = browser.post(
        decide(waiting, "approve"), {**carried(browser.get(address)), "comment": "go"}, follow=True
    )
    assert Approval.objects.get().plan_run is None
    page = text_of(response)
    assert "approved the request, saw" in page
    assert "<q>go</q>" in page


def test_it_is_in_the_list_and_the_inbox(waiting, as_user):
    browser = as_user(waiting.manager)
    assert browser.get("/").context["rows"][0].status.word == "Waits for approval"
    (row,) = browser.get("/inbox/").context["rows"]
    assert (row.title, row.count) == ("Request", "0 of 1")
    assert row.sentence == "Releases green to catalog, step by step, once the request is approved."
    assert "Nothing waits for you" in text_of(as_user(waiting.requester).get("/inbox/"))


def test_the_page_needs_no_more_queries_for_more_steps(waiting, as_user, address):
    browser = as_user(waiting.manager)
    few = queries_of(browser, address)
    last = waiting.release.steps.count()
    for number in range(10):
        factories.StepFactory.create(release=waiting.release, position=last + number)
    assert queries_of(browser, address) <= few


def test_an_edit_under_the_open_page_is_told_and_nothing_is_recorded(waiting, as_user, address):
    browser = as_user(waiting.manager)
    old = carried(browser.get(address))
    waiting.release.steps.filter(transition="shift").update(bake_seconds=1)
    response = browser.post(decide(waiting, "approve"), old)
    assert response.status_code == 409
    assert "The request is another one by now" in text_of(response)
    assert not Approval.objects.exists()


@pytest.fixture
def replaced(scene, as_user, address):
    """What a manager's page carries whose plan was made anew meanwhile, with whatever is given."""
    browser = as_user(scene.manager)
    old = carried(browser.get(address))

    def decide_after(**columns):
        run = factories.finished_plan(scene.canary)
        for name, value in {"plan_sha256": factories.digest("new"), **columns}.items():
            setattr(run, name, value)
        run.save()
        Step.objects.filter(pk=scene.canary.pk).update(plan_run=run)
        return browser.post(decide(scene, "approve"), {**old, "comment": "fine"})

    return decide_after


def test_a_plan_that_changed_under_the_open_page_is_shown_with_the_difference(scene, replaced):
    changes = deepcopy(scene.canary.plan_run.changes)
    changes[0]["attributes"][0]["after"] = "0.0.0.0/0"
    response = replaced(changes=changes, changes_digest=factories.digest("other"))
    page = text_of(response)
    assert response.status_code == 409
    assert "Nothing was recorded." in page
    assert "<code>192.0.2.1/32 → 127.0.0.9/32</code>" in page
    assert "<code>192.0.2.1/32 → 0.0.0.0/0</code>" in page
    assert ">fine</textarea>" in page
    assert not Approval.objects.exists()


def test_one_that_only_was_made_anew_is_said_to_change_the_same(scene, replaced):
    response = replaced(changes_digest=scene.canary.plan_run.changes_digest)
    assert "Their changes are the same." in text_of(response)
    assert not Approval.objects.exists()


def test_it_is_decided_in_the_inbox_and_never_together_with_others(waiting, as_user):
    browser, item = as_user(waiting.manager), f"/inbox/{waiting.canary.pk}/"
    response = browser.get(item)
    page, chosen = text_of(response), response.context["chosen"]
    assert "It is the request: its plans are made when it is approved." in page
    assert waiting.release.image in page
    assert b'name="plan"' not in response.content
    identity = chosen.gate.identity
    sent = {"sha256": identity.sha256, "changes_digest": identity.changes_digest}
    assert browser.post(f"{item}approve/", sent).status_code == 302
    assert Approval.objects.get().plan_run is None
    assert "Request" in text_of(browser.get("/inbox/?view=done"))
