"""Breaking the glass on the release's page, and the flag until somebody else has reviewed it."""

import pytest
from django.contrib.auth.models import Group

from releases.domain.access.decisions import Permission
from releases.models import BrokenGlass, Policy, ServiceAccount
from releases.permissions import as_person, grant
from releases.services.approval import break_glass
from releases.tests import factories
from releases.tests.conftest import text_of
from releases.tests.test_pages_queries import queries_of
from releases.views.lookups import find_glasses_to_review


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


FLAGGED = ("/", "/services/catalog/", "/inbox/")
WAITS = ("Broken glass, not reviewed", "A broken glass waits for its review", "Broken glasses to review")


def test_until_it_is_reviewed_it_is_flagged_on_the_list_the_service_s_page_and_in_the_inbox(
    scene, on_call, as_user, address
):
    broken = factories.broken_glass(scene.canary, on_call)
    browser = as_user(scene.manager)
    for page, words in zip(FLAGGED, WAITS, strict=True):
        text = text_of(browser.get(page))
        assert words in text
        assert f'href="{address}' in text
    assert "1 service needs attention" in text_of(browser.get("/"))
    break_glass.review(broken_id=broken.pk, user=scene.manager, comment="fine")
    for page, words in zip(FLAGGED, WAITS, strict=True):
        assert words not in text_of(browser.get(page))


def test_it_counts_as_something_that_waits_for_who_may_review_it_and_says_what_was_done_and_why(
    scene, on_call, as_user
):
    factories.broken_glass(scene.canary, on_call)
    page = text_of(as_user(scene.manager).get("/inbox/"))
    assert '<span class="count">2' in page
    assert "operator opened the gate of Canary alone," in page
    assert "“The shop is down”" in page


def test_it_waits_there_without_any_plan(scene, on_call, as_user):
    factories.broken_glass(scene.canary, on_call)
    scene.release.steps.update(wanted=[])
    page = text_of(as_user(scene.manager).get("/inbox/"))
    assert "Broken glasses to review" in page
    assert "Nothing waits for you" not in page


def test_of_very_many_the_inbox_shows_the_oldest_and_counts_the_others(scene, on_call, as_user):
    for _ in range(22):
        factories.broken_glass(scene.canary, on_call)
    assert "And 2 more, which come up when these are reviewed." in text_of(
        as_user(scene.manager).get("/inbox/")
    )


@pytest.mark.parametrize(
    "who",
    ["manager", "viewer", "breaker", "requester", "changer of the step", "maker of the program", "program"],
)
def test_the_inbox_has_it_for_exactly_those_who_may_review_it(scene, on_call, who):
    program = factories.person("program", scene.service, Permission.VIEW, Permission.APPROVE)
    maker = factories.person("maker", scene.service, Permission.VIEW, Permission.APPROVE)
    changer = factories.person("changer", scene.service, Permission.VIEW, Permission.APPROVE)
    ServiceAccount.objects.create(user=program, service=scene.service, made_by=maker)
    for person in (scene.requester, on_call):
        grant(person, scene.service, Permission.APPROVE)
    broken = factories.broken_glass(scene.canary, on_call)
    if who in {"maker of the program", "program"}:
        scene.release.requested_by = program
        scene.release.save()
    elif who == "changer of the step":
        scene.canary.requested_by = changer
        scene.canary.save()
    person = {
        "manager": scene.manager,
        "viewer": factories.person("viewer", scene.service, Permission.VIEW),
        "breaker": on_call,
        "requester": scene.requester,
        "changer of the step": changer,
        "maker of the program": maker,
        "program": program,
    }[who]
    again = BrokenGlass.objects.select_related("step__release").get(pk=broken.pk)
    may = break_glass.review_answer(as_person(person, scene.service), again)
    assert bool(may) is (who == "manager")
    assert find_glasses_to_review(person).exists() is bool(may)


@pytest.mark.parametrize("page", FLAGGED)
def test_more_flags_need_no_more_queries(scene, on_call, as_user, page):
    browser = as_user(scene.manager)
    factories.broken_glass(scene.canary, on_call)
    one = queries_of(browser, page)
    for number in range(2, 7):
        release = factories.release_with_steps(
            scene.service, scene.requester, number=scene.release.number + number, status="promoted"
        )
        factories.broken_glass(factories.waiting_step(release.steps.get(transition="canary")), on_call)
    scene.release.steps.exclude(pk=scene.canary.pk).update(wanted=[])
    assert queries_of(browser, page) <= one
