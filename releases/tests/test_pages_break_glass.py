"""Breaking the glass on the release's page, and the flag until somebody else has reviewed it."""

import pytest
from django.contrib.auth.models import Group

from releases.domain.decisions import Permission
from releases.models import BrokenGlass, Policy
from releases.permissions import grant
from releases.tests import factories
from releases.tests.conftest import text_of
from releases.tests.test_pages_queries import queries_of


@pytest.fixture
def address(scene) -> str:
    return f"/services/catalog/releases/{scene.release.number}/"


@pytest.fixture
def on_call(scene):
    scene.operator.groups.add(Group.objects.create(name="on-call"))
    Policy.objects.create(service=scene.service, content={"break_glass": ["on-call"]})
    return scene.operator


def test_who_may_finds_it_on_the_page_and_others_do_not(scene, on_call, as_user, address):
    assert b'id="break-glass"' in as_user(on_call).get(address).content
    assert b'id="break-glass"' not in as_user(scene.manager).get(address).content


def test_it_is_broken_with_a_reason_and_the_service_s_name_and_flagged(scene, on_call, as_user, address):
    browser = as_user(on_call)
    identity = browser.get(address).context["gate"].identity
    sent = {"sha256": identity.sha256, "changes_digest": identity.changes_digest, "glass_reason": "<down>"}
    glass = f"/services/catalog/steps/{scene.canary.pk}/break-glass/"
    response = browser.post(glass, {**sent, "typed": "catalogue"})
    assert response.status_code == 409
    assert "&lt;down&gt;</textarea>" in text_of(response)
    page = text_of(browser.post(glass, {**sent, "typed": "catalog"}, follow=True))
    assert "operator broke the glass for Canary" in page
    assert "“&lt;down&gt;”" in page
    assert "Nobody has reviewed it yet." in page


def test_somebody_else_reviews_it_there(scene, on_call, as_user, address):
    broken = factories.broken_glass(scene.canary, on_call)
    review = f"/services/catalog/broken-glass/{broken.pk}/review/"
    page = text_of(as_user(scene.manager).post(review, {"review": "it was needed"}, follow=True))
    assert "Reviewed by manager" in page
    assert "“it was needed”" in page
    assert "Nobody has reviewed it yet." not in page


def test_another_service_s_is_not_found(scene, on_call, as_user):
    broken = factories.broken_glass(scene.canary, on_call)
    other = factories.ServiceFactory.create(name="ledger")
    grant(scene.manager, other, *Permission)
    response = as_user(scene.manager).post(
        f"/services/ledger/broken-glass/{broken.pk}/review/", {"review": "x"}
    )
    assert response.status_code == 404
    assert BrokenGlass.objects.get().reviewed_at is None


def test_more_of_them_need_no_more_queries(scene, on_call, as_user, address):
    browser = as_user(scene.manager)
    factories.broken_glass(scene.canary, on_call)
    one = queries_of(browser, address)
    for _ in range(5):
        factories.broken_glass(scene.canary, on_call)
    assert queries_of(browser, address) <= one
