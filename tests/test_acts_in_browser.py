"""What people do with a page that programs do not: press twice, go back, type while it changes, have no JavaScript."""

import re

import pytest
from playwright.sync_api import Page, expect

from releases.domain.approval.approval_policy import PlanIdentity
from releases.models import Approval
from releases.services.approval.approvals import approve
from releases.services.release_acts import pause, resume
from tests.browser import live_state, visiting
from tests.scenes import Gate, make_gate

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def gate(site) -> Gate:
    return make_gate()


def decided(page: Page) -> None:
    expect(page.locator("#approve")).to_have_count(0)
    expect(page.get_by_text("approved Canary")).to_be_visible()


def test_a_double_click_on_approve_records_one_approval(browser, site, gate):
    with visiting(browser, site, gate.manager) as page:
        page.goto(gate.path)
        page.get_by_label("Comment").fill("fine with me")
        page.locator("#approve").dblclick()
        decided(page)
    assert [approval.comment for approval in Approval.objects.all()] == ["fine with me"]


def test_going_back_after_an_approval_shows_that_it_is_decided(browser, site, gate):
    with visiting(browser, site, gate.manager) as page:
        page.goto("/inbox/")
        page.locator("#approve").click()
        expect(page.get_by_text("Approved: ")).to_be_visible()
        page.go_back()
        expect(page.locator("#nothing-to-do")).to_contain_text(f"was approved by {gate.manager.username}")
        expect(page.locator("#approve")).to_have_count(0)
    assert Approval.objects.count() == 1


def test_an_old_page_cannot_approve_again_and_keeps_what_was_typed(browser, site, gate):
    with visiting(browser, site, gate.manager, java_script_enabled=False) as page:
        page.goto(gate.path)
        plan = PlanIdentity(sha256=gate.plan_run.plan_sha256, changes_digest=gate.plan_run.changes_digest)
        approve(step_id=gate.step.pk, user=gate.manager, shown=plan)
        page.get_by_label("Comment").fill("second thoughts")
        page.locator("#reject").click()
        expect(page.get_by_role("alert")).to_contain_text("Nothing was recorded")
        expect(page.get_by_label("Comment")).to_have_value("second thoughts")
    assert Approval.objects.count() == 1


def test_a_rejection_needs_a_comment_and_works_without_javascript(browser, site, gate):
    with visiting(browser, site, gate.manager, java_script_enabled=False) as page:
        page.goto(gate.path)
        page.locator("#reject").click()
        expect(page.get_by_role("alert")).to_contain_text("Say why")
        page.get_by_label("Comment").fill("wrong version")
        page.locator("#reject").click()
        expect(page.get_by_role("heading", name="Rejected")).to_be_visible()


def test_the_requester_finds_approve_disabled_with_its_reason(browser, site, gate):
    with visiting(browser, site, gate.requester) as page:
        page.goto(gate.path)
        button = page.get_by_role("button", name="Approve")
        expect(button).to_be_disabled()
        reason = page.locator(f"#{button.get_attribute('aria-describedby')}")
        expect(reason).to_be_visible()
        expect(reason).not_to_be_empty()


def test_a_release_is_paused_and_resumed_without_javascript(browser, site, gate):
    with visiting(browser, site, gate.operator, java_script_enabled=False) as page:
        page.goto(gate.path)
        page.get_by_role("button", name="Pause", exact=True).click()
        expect(page.get_by_role("heading", name="Paused")).to_be_visible()
        expect(page.get_by_role("button", name=re.compile("^Start "))).to_be_disabled()
        page.get_by_role("button", name="Resume", exact=True).click()
        expect(page.get_by_role("heading", name="Waiting for approval")).to_be_visible()


def test_a_share_that_is_being_typed_survives_what_others_do(browser, site, gate):
    with visiting(browser, site, gate.operator) as page:
        page.goto(gate.path)
        expect(live_state(page)).to_have_attribute("data-state", "live")
        field = page.get_by_label("Users on")
        field.press_sequentially("3")
        pause(release_id=gate.release.pk, user=gate.operator)
        expect(page.get_by_role("heading", name="Paused")).to_be_visible()
        resume(release_id=gate.release.pk, user=gate.operator)
        expect(page.get_by_role("heading", name="Waiting for approval")).to_be_visible()
        expect(field).to_be_focused()
        field.press_sequentially("0")
        page.keyboard.press("Enter")
        expect(page.get_by_text("30 % comes next.")).to_be_visible()
        expect(page.get_by_label("Steps").get_by_role("link", name=re.compile("^30 %"))).to_be_visible()
