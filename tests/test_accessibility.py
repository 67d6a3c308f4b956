"""Every page in both themes, wide and narrow: axe finds nothing, nothing is cut off, and the keyboard is enough."""

from collections.abc import Iterator
from itertools import product
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group, User
from django.utils import timezone
from playwright.sync_api import Page, expect

from aws.images import Image
from releases.domain.access.roles import Role
from releases.live.broadcaster import broadcaster
from releases.models import Release, Service, Step
from releases.services.access.roles import EVERYWHERE, record_given
from releases.services.lifecycle import SYSTEM
from releases.services.versions import secret_values
from tests.browser import DESK, PHONE, live_state, sign_in, visiting
from tests.scenes import IMAGES, make_gate, make_run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SERVICE = "/services/nginx-lambda/"
RELEASE = f"{SERVICE}releases/1/"


@pytest.fixture(autouse=True)
def aws(settings, monkeypatch) -> None:
    """AWS is out of reach, but for the list of images."""
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    settings.AWS_ACCESS_KEY_ID = settings.AWS_SECRET_ACCESS_KEY = "test"
    found = [
        Image(tag=tag, digest=image.partition("@")[2], reference=image, pushed_at=timezone.now())
        for tag, image in IMAGES.items()
    ]
    monkeypatch.setattr("aws.images.list_images", lambda *_: found)


@pytest.fixture
def page(browser, site) -> Iterator[Page]:
    with visiting(browser, site, reduced_motion="reduce") as page:
        yield page


def faults(page: Page) -> list[str]:
    """What axe finds on the page as it is, in both themes and both widths, and where it is wider than its window."""
    found = []
    for viewport, theme in product((DESK, PHONE), THEMES):
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=theme)
        found += [f"{page.url} {viewport['width']} {theme} {fault}" for fault in _faults(page)]
    return found


def _faults(page: Page) -> list[str]:
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    found = [
        f"{violation['id']}: {node['html']} {node['failureSummary']}"
        for violation in Axe().run(page, options=RULES).response["violations"]
        for node in violation["nodes"]
    ]
    return found + ([f"is {wide} pixels too wide"] if wide > 0 else [])


def faults_of(page: Page, *paths: str) -> list[str]:
    found = []
    for path in paths:
        page.goto(path)
        found += faults(page)
    return found


def test_pages_of_a_release_whose_course_can_be_changed(page):
    gate = make_gate()
    sign_in(page, gate.operator)
    found = faults_of(page, RELEASE)
    Release.objects.update(status="paused", paused_at=timezone.now())
    found += faults_of(page, RELEASE, "/")
    Step.objects.filter(pk=gate.step.pk).update(status="failed", problem="AccessDenied")
    Release.objects.update(status="open", paused_at=None)
    assert found + faults_of(page, RELEASE) == []


def test_pages_of_a_release_that_waits_for_an_approval(page):
    gate = make_gate()
    sign_in(page, gate.manager)
    run = f"{SERVICE}runs/{gate.plan_run.pk}/"
    tabs = [f"{RELEASE}?step=2&tab={tab}" for tab in ("changes", "variables", "raw")]
    pages = [
        "/",
        "/?q=nothing",
        "/inbox/",
        "/inbox/?view=others",
        SERVICE,
        "/audit/?service=nginx-lambda",
        f"{SERVICE}request/",
        f"{SERVICE}rollback/",
        run,
    ]
    assert faults_of(page, *pages, *tabs) == []


def test_pages_of_those_who_look_after_services_and_people(page):
    gate = make_gate()
    record_given(Role.ADMIN, gate.operator, EVERYWHERE, actor=SYSTEM)
    group = Group.objects.create(name="SRE")
    group.user_set.add(gate.manager)
    sign_in(page, gate.operator)
    of_service = ["policy/", "people/", "messages/", "programs/", "settings/", "rehearsal/"]
    pages = [
        *(f"{SERVICE}{path}" for path in of_service),
        *("/people/", f"/people/{gate.manager.pk}/", "/groups/", f"/groups/{group.pk}/"),
        *("/messages/", "/messages/mine/", "/tokens/", "/environments/production/policy/"),
        *(f"{RELEASE}record/", "/reports/", "/audit/", "/rollback/", "/services/new/"),
    ]
    assert faults_of(page, *pages) == []


def test_pages_for_those_who_may_not(page):
    gate = make_gate()
    sign_in(page, gate.requester)
    assert faults_of(page, RELEASE, f"{SERVICE}rollback/", "/services/no-such/") == []


def test_pages_without_anything(page):
    assert faults_of(page, "/login/") == []
    sign_in(page, User.objects.create(username="newcomer"))
    assert faults_of(page, "/", "/inbox/") == []


def test_the_form_of_a_request_and_its_errors(page):
    gate = make_gate()
    Release.objects.update(status="rolled_back")
    Step.objects.update(status="abandoned")
    sign_in(page, gate.requester)
    found = faults_of(page, SERVICE, RELEASE, f"{SERVICE}request/")
    page.get_by_label("Shares of users").fill("50, 10")
    page.get_by_role("button", name="Request this release").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert found + faults(page) == []


def test_configurations_wherever_they_are(page):
    gate = make_gate()
    secret = secret_values.encrypt(gate.service.pk, "PASSWORD", "correct horse")
    configuration = {"memory_size": 512, "environment": {"LEVEL": "debug " * 60, "PASSWORD": secret}}
    Service.objects.update(blue_configuration=configuration)
    Release.objects.update(status="rolled_back", configuration=configuration)
    Step.objects.update(status="abandoned")
    sign_in(page, gate.requester)
    found = faults_of(page, RELEASE)
    page.goto(SERVICE)
    page.locator("#settings-blue summary").click()
    expect(page.locator("#settings-blue").get_by_text("512 MB").first).to_be_visible()
    found += faults(page)
    page.goto(f"{SERVICE}request/")
    page.locator("#configuration summary").click()
    found += faults(page)
    page.get_by_label("Memory, in MB").fill("1")
    page.get_by_role("button", name="Request this release").click()
    expect(page.get_by_text("Write a whole number from 128 to 10240 (MB).")).to_be_visible()
    assert found + faults(page) == []


def test_pages_of_a_failed_step(page):
    gate = make_gate()
    Step.objects.filter(pk=gate.step.pk).update(
        status="failed", problem="AccessDenied: not authorized\nby AWS"
    )
    sign_in(page, gate.operator)
    assert faults_of(page, "/", SERVICE, RELEASE) == []


def test_a_running_log_and_a_page_that_is_cut_off(page, monkeypatch):
    gate = make_gate()
    run = make_run(gate.service, lines=300)
    sign_in(page, gate.operator)
    page.goto(f"{SERVICE}runs/{run.pk}/")
    expect(live_state(page)).to_have_text("Live")
    found = faults(page)
    monkeypatch.setattr(broadcaster, "listening", False)
    expect(live_state(page)).to_contain_text("Not live since")
    assert found + faults(page) == []


def test_a_rollback_that_does_not_reach_aws(page):
    gate = make_gate()
    sign_in(page, gate.manager)
    page.goto(f"{SERVICE}rollback/")
    page.get_by_role("button", name="Send all").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert faults(page) == []
