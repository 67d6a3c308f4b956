"""Pages that are live: what is pushed, what stays while it is, and what a page says when it is cut off."""

from contextlib import ExitStack

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from playwright.sync_api import Page, expect

from releases import push
from releases.live.broadcaster import broadcaster
from releases.models import Service, Step
from terraform_runner.domain.runs import RunStatus
from terraform_runner.models import LogChunk, Run
from tests.browser import live_state, visiting
from tests.scenes import Gate, make_gate, make_run
from tests.serving import bound_socket, serving

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def gate(site) -> Gate:
    return make_gate()


def start_applying(gate: Gate) -> None:
    """What a worker would change while somebody looks at the page."""
    with transaction.atomic():
        Step.objects.filter(pk=gate.step.pk).update(status="applying")
        push.service_changed(gate.service.pk)


def make_another_plan(gate: Gate) -> None:
    with transaction.atomic():
        Run.objects.filter(pk=gate.plan_run.pk).update(plan_sha256="7c1e" + "1" * 60)
        push.service_changed(gate.service.pk)


def add_lines(run: Run, first: int, *lines: str) -> None:
    with transaction.atomic():
        LogChunk.objects.create(run=run, first_line=first, lines=lines)
        push.lines_added(run.pk, first, lines)


def open_live(page: Page, path: str) -> None:
    """Opens a page and waits until it has fetched itself again, as it does once at the beginning."""
    with page.expect_response(lambda response: "x-live" in response.request.headers):
        page.goto(path)
    is_live(page)


def is_live(page: Page) -> None:
    expect(live_state(page)).to_have_text("Live")


def headline(page: Page, text: str) -> None:
    expect(page.locator("#headline")).to_contain_text(text)


def test_a_change_arrives_without_reload_and_leaves_alone_what_is_being_typed(browser, site, gate):
    with visiting(browser, site, gate.manager) as page:
        open_live(page, gate.path)
        page.evaluate("window.notReloaded = true")
        comment = page.get_by_label("Comment")
        comment.press_sequentially("looks god")
        for _ in range(2):
            comment.press("ArrowLeft")
        make_another_plan(gate)
        expect(page.locator("#approve")).to_contain_text("7c1e")
        page.keyboard.type("o")
        expect(comment).to_have_value("looks good")
        expect(comment).to_be_focused()
        assert page.evaluate("window.notReloaded")


def test_a_selection_and_an_open_part_stay_through_a_change(browser, site, gate):
    with visiting(browser, site, gate.manager) as page:
        open_live(page, gate.path)
        page.evaluate("getSelection().selectAllChildren(document.querySelector('.sentence'))")
        selected = page.evaluate("getSelection().toString()")
        start_applying(gate)
        headline(page, "Applying")
        assert page.evaluate("getSelection().toString()") == selected != ""


def test_what_is_approved_after_a_new_plan_is_the_plan_that_is_shown(browser, site, gate):
    with visiting(browser, site, gate.manager) as page:
        open_live(page, gate.path)
        page.get_by_label("Comment").fill("fine")
        make_another_plan(gate)
        expect(page.locator("#approve")).to_contain_text("7c1e")
        page.locator("#approve").click()
        expect(page.get_by_text("approved Canary")).to_be_visible()
    assert gate.step.approvals.get().plan_sha256.startswith("7c1e")


def test_the_inbox_counts_what_waits_on_every_page(browser, site, gate):
    with visiting(browser, site, gate.manager) as page:
        open_live(page, "/")
        expect(page.locator("#inbox-count")).to_contain_text("1")
        start_applying(gate)
        expect(page.locator("#inbox-count")).to_be_empty()


def test_a_page_whose_stream_is_cut_says_since_when_and_catches_up(browser, transactional_db):
    gate = make_gate()
    with ExitStack() as stack:
        place = stack.enter_context(bound_socket())
        with serving(place) as site:
            page = stack.enter_context(visiting(browser, site, gate.manager))
            open_live(page, gate.path)
        expect(live_state(page)).to_contain_text("Not live since")
        start_applying(gate)
        stack.enter_context(serving(place))
        is_live(page)
        headline(page, "Applying")


def test_a_page_says_so_too_when_the_server_is_cut_off_from_what_happens(browser, site, gate, monkeypatch):
    with visiting(browser, site, gate.manager) as page:
        open_live(page, gate.path)
        monkeypatch.setattr(broadcaster, "listening", False)
        expect(live_state(page)).to_contain_text("Not live since")


@pytest.mark.parametrize("lose", ["deactivated", "hidden"])
def test_a_page_that_one_may_not_see_any_more_says_so_and_stops(browser, site, gate, lose):
    with visiting(browser, site, gate.manager) as page:
        open_live(page, gate.path)
        if lose == "deactivated":
            User.objects.filter(pk=gate.manager.pk).update(is_active=False)
        else:
            gate.manager.userobjectpermission_set.all().delete()
        expect(live_state(page)).to_contain_text("you are signed out, or may not see this any more")
        expect(live_state(page).get_by_role("link")).to_be_visible()


def test_seven_visible_pages_of_one_browser_all_keep_up(browser, site, gate):
    with visiting(browser, site, gate.manager) as first:
        pages = [first, *(first.context.new_page() for _ in range(6))]
        for page in pages:
            page.goto(gate.path)
        start_applying(gate)
        for page in pages:
            headline(page, "Applying")
        first.get_by_role("link", name="Inbox").click()
        expect(first.get_by_role("heading", name="Nothing waits for you")).to_be_visible()


def test_a_hidden_page_holds_no_stream_and_catches_up_when_it_is_seen(browser, site, gate):
    with visiting(browser, site, gate.manager) as page:
        open_live(page, gate.path)
        _look_away(page, hidden=True)
        start_applying(gate)
        page.wait_for_timeout(500)
        headline(page, "Waiting for approval")
        _look_away(page, hidden=False)
        headline(page, "Applying")


def _look_away(page: Page, *, hidden: bool) -> None:
    """Headless pages are always visible: say otherwise, as the browser would."""
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_a_log_grows_as_its_run_goes_on_and_ends_with_it(browser, site, gate):
    service = gate.service
    run = make_run(service, lines=3)
    with visiting(browser, site, gate.operator) as page:
        open_live(page, f"/services/{service.name}/runs/{run.pk}/")
        add_lines(run, 3, "<b>bold</b> & plain")
        expect(page.locator("#L4 code")).to_have_text("<b>bold</b> & plain")
        end(run, service)
        add_lines(run, 4, "the last one")
        expect(page.locator("#L5 code")).to_have_text("the last one")
        expect(page.locator("[data-log]")).to_have_count(0)
        is_live(page)
        expect(page.locator(".log li")).to_have_count(5)


def end(run: Run, service: Service) -> None:
    with transaction.atomic():
        Run.objects.filter(pk=run.pk).update(status=RunStatus.SUCCEEDED, ended_at=run.started_at)
        push.service_changed(service.pk)


def test_a_log_keeps_five_thousand_lines_on_the_page(browser, site, gate):
    run = make_run(gate.service, lines=4990)
    with visiting(browser, site, gate.operator) as page:
        open_live(page, f"/services/{gate.service.name}/runs/{run.pk}/")
        add_lines(run, 4990, *(f"more {number}" for number in range(20)))
        expect(page.locator("#L5010")).to_be_attached()
        expect(page.locator(".log li")).to_have_count(5000)
        expect(page.locator("#L10")).not_to_be_attached()
