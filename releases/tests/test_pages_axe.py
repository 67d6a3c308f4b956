"""axe finds nothing, and nothing scrolls sideways: on each page, in both themes, on a desk and on a phone."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Page

from audit import events
from audit.events import Actor
from releases.domain.access.decisions import Permission
from releases.domain.access.roles import Role
from releases.models import Step
from releases.permissions import grant, grant_set_up
from releases.services.access import people
from releases.services.access.roles import EVERYWHERE, record_given
from releases.tests import factories
from releases.tests.api import secret_of
from tests.browser import DESK, PHONE, visiting
from tests.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},
}


@pytest.fixture
def site(transactional_db) -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def addresses(scene, aws) -> list[str]:
    """Pages at work, at rest, failed and empty, as the manager sees them."""
    resting = factories.ServiceFactory.create(name="resting")
    failed = factories.ServiceFactory.create(name="failed")
    promoted = factories.ServiceFactory.create(
        name="promoted", green_image=factories.image_of("green"), green_tag="green", green_weight=100,
        promoted_at=timezone.now(),
    )  # fmt: skip
    old = factories.release_with_steps(promoted, scene.manager, number=1, tag="yellow", status="rolled_back")
    for service in (resting, failed, promoted):
        grant(scene.manager, service, *Permission)
    release = factories.release_with_steps(failed, scene.manager, number=1)
    factories.waiting_step(release.steps.get(transition="rotate_candidate"))
    Step.objects.filter(transition="rotate_candidate", release=release).update(
        status="failed", problem="AccessDenied: ModifyRule"
    )
    grant_set_up(scene.manager)
    with transaction.atomic():
        event = events.record(
            actor=Actor(id="", name="x", via="page"),
            action="step.done",
            service_id=str(scene.service.pk),
            after={"plan_sha256": "a" * 64},
            reason="why",
        )
    at_work = f"/services/catalog/releases/{scene.release.number}/"
    return [
        "/",
        "/?q=nothing",
        "/tokens/",
        "/inbox/",
        "/reports/",
        "/inbox/?view=others",
        "/inbox/?view=done",
        f"/inbox/{scene.canary.pk}/",
        "/messages/",
        "/messages/mine/",
        "/services/failed/messages/",
        "/services/catalog/messages/",
        "/services/new/",
        "/services/new/?like=resting",
        "/services/catalog/",
        "/services/resting/",
        "/audit/?service=catalog",
        "/audit/?who=nobody",
        "/audit/?until=2026-13-01",
        f"/audit/{event.pk}/",
        "/services/promoted/",
        "/services/promoted/request/",
        f"/services/promoted/releases/{old.number}/again/",
        "/services/resting/request/",
        "/services/resting/settings/",
        "/services/catalog/settings/",
        "/services/catalog/policy/",
        "/services/resting/people/",
        "/services/resting/programs/",
        "/environments/production/policy/",
        "/services/catalog/request/",
        at_work,
        f"{at_work}record/",
        f"{at_work}?tab=variables",
        f"{at_work}?tab=raw",
        "/services/failed/releases/1/",
        f"/services/catalog/runs/{scene.canary.plan_run_id}/",
        "/services/failed/rollback/?hold=1",
        "/rollback/",
        "/services/resting/rehearsal/",
        "/services/resting/rollback/?hold=1",
        "/no/such/page/",
    ]


def problems(page: Page, address: str) -> list[str]:
    page.goto(address)
    found = [f"{address}: {item['id']}" for item in Axe().run(page, options=RULES).response["violations"]]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append(f"{address}: scrolls sideways")
    return found


@pytest.mark.parametrize(("size", "theme"), [(DESK, "light"), (PHONE, "dark")])
def test_each_page_is_accessible_and_fits(browser, site, scene, addresses, size, theme):
    with visiting(browser, site, scene.manager, viewport=size, color_scheme=theme, bypass_csp=True) as page:
        assert [problem for address in addresses for problem in problems(page, address)] == []


@pytest.mark.parametrize(("size", "theme"), [(DESK, "light"), (PHONE, "dark")])
def test_each_page_of_people_and_groups_is_accessible_and_fits(browser, site, scene, size, theme):
    admin, group = factories.UserFactory.create(username="admin"), Group.objects.create(name="S" * 150)
    record_given(Role.ADMIN, admin, EVERYWHERE, actor=factories.TESTS)
    many = User.objects.bulk_create(User(username=f"{number:03}{'x' * 140}") for number in range(51))
    group.user_set.add(*many)
    factories.give(group, scene.service, Role.APPROVER)
    secret_of(many[0], services=[scene.service])
    addresses = [
        *(
            "/people/",
            "/people/?page=2",
            "/people/?q=nobody",
            f"/people/{admin.pk}/",
            f"/people/{many[0].pk}/",
        ),
        *("/groups/", "/groups/?q=none", f"/groups/{group.pk}/", "/people/tokens/", "/people/tokens/?q=none"),
        *("/reports/", "/audit/"),
    ]
    with visiting(browser, site, admin, viewport=size, color_scheme=theme, bypass_csp=True) as page:
        assert [problem for address in addresses for problem in problems(page, address)] == []


@pytest.mark.parametrize(("size", "theme"), [(DESK, "light"), (PHONE, "dark")])
def test_the_page_of_one_s_own_password_is_accessible_and_fits(browser, site, size, theme):
    rosa = factories.UserFactory.create(username="rosa")
    with visiting(browser, site, rosa, viewport=size, color_scheme=theme, bypass_csp=True) as page:
        assert problems(page, "/password/") == []


def test_a_password_s_page_is_accessible(browser, site):
    link = urlsplit(people.password_link(factories.UserFactory.create())).path
    with visiting(browser, site, bypass_csp=True) as page:
        assert [problem for address in (link, "/password/x/y/") for problem in problems(page, address)] == []


def test_the_sign_in_is_accessible(browser, site):
    with visiting(browser, site, bypass_csp=True) as page:
        assert problems(page, "/login/") == []
