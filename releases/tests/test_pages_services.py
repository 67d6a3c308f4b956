"""The list of services, one service, and the inbox."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from releases.domain.access.decisions import Permission
from releases.models import Release, Service, Step
from releases.permissions import grant
from releases.tests import factories
from releases.tests.conftest import text_of

SPLIT = {"green_tag": "green", "green_image": factories.image_of("green"), "green_weight": 10}


@pytest.fixture
def viewer(db) -> User:
    return factories.UserFactory.create(username="viewer")


def seen_by(viewer: User, **columns) -> Service:
    service = factories.ServiceFactory.create(**columns)
    grant(viewer, service, Permission.VIEW)
    return service


def listed(client) -> list[str]:
    return [row.service.name for row in client.get("/").context["rows"]]


def test_only_services_that_one_may_see_are_listed(viewer, as_user):
    factories.ServiceFactory.create(name="not-theirs")
    seen_by(viewer, name="seen")
    page = text_of(as_user(viewer).get("/"))
    assert "seen" in page
    assert "not-theirs" not in page


def test_who_sees_nothing_yet_is_told_the_next_step(viewer, as_user):
    page = text_of(as_user(viewer).get("/"))
    assert "There is no service that you may see" in page
    assert "Ask an administrator" in page


def test_what_needs_attention_comes_first_and_the_rest_by_name(viewer, as_user):
    seen_by(viewer, name="a-steady")
    in_release = seen_by(viewer, name="b-in-release")
    factories.StepFactory.create(release=factories.ReleaseFactory.create(service=in_release))
    seen_by(viewer, name="c-split", **SPLIT)
    failed = seen_by(viewer, name="d-failed")
    factories.StepFactory.create(release=factories.ReleaseFactory.create(service=failed), status="failed")
    assert listed(as_user(viewer)) == ["d-failed", "c-split", "b-in-release", "a-steady"]


def test_the_traffic_is_said_in_words_beside_the_bar(viewer, as_user):
    seen_by(viewer, **SPLIT)
    page = text_of(as_user(viewer).get("/"))
    assert 'aria-label="blue 90 %, green 10 %"' in page


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, "rule 200, all hosts, all paths"),
        ({"paths": ["/cart/*", "/v2/*"]}, "rule 200, all hosts, /cart/*, /v2/*"),
        ({"hostnames": ["a.example.com"]}, "rule 200, a.example.com, all paths"),
    ],
)
def test_a_service_s_page_says_whose_requests_it_gets(viewer, as_user, columns, words):
    service = seen_by(viewer, **columns)
    assert words in text_of(as_user(viewer).get(f"/services/{service.name}/"))


@pytest.mark.parametrize(
    ("status", "columns", "word"),
    [
        ("failed", {"problem": "AccessDenied"}, "Failed"),
        ("rejected", {}, "Rejected"),
        ("waiting", {"gate": True, "wanted": [""]}, "Waits for approval"),
        ("waiting", {"gate": False}, "Waits for start"),
        ("waiting", {"started_at": timezone.now()}, "In release"),
        ("baking", {}, "Bakes"),
        ("applying", {}, "In release"),
    ],
)
def test_the_list_says_in_a_word_where_a_release_stands(viewer, as_user, status, columns, word):
    service = seen_by(viewer)
    release = factories.ReleaseFactory.create(service=service)
    factories.StepFactory.create(release=release, status=status, **columns)
    (row,) = as_user(viewer).get("/").context["rows"]
    assert row.status.word == word


def test_an_approved_step_is_said_to_wait_for_its_start(scene, as_user):
    factories.approve(scene.canary, scene.manager)
    (row,) = as_user(scene.requester).get("/").context["rows"]
    assert row.status.word == "Waits for start"


def test_a_service_that_is_being_set_up_has_no_traffic_yet(viewer, as_user):
    service = seen_by(viewer, set_up_at=None)
    Step.objects.create(service=service, transition="set_up", candidate_share=0, status="applying")
    page = text_of(as_user(viewer).get("/"))
    assert "Being set up" in page
    assert "no traffic yet" in page


def test_services_are_found_by_a_part_of_their_name(viewer, as_user):
    seen_by(viewer, name="payments-api")
    seen_by(viewer, name="search")
    response = as_user(viewer).get("/?q=pay")
    assert [row.service.name for row in response.context["rows"]] == ["payments-api"]


def test_a_search_without_a_match_says_so_and_is_escaped(viewer, as_user):
    page = text_of(as_user(viewer).get("/", {"q": "<b>x</b>"}))
    assert "No service has “&lt;b&gt;x&lt;/b&gt;” in its name" in page


def test_a_long_list_comes_in_pages_that_keep_the_search(viewer, as_user):
    for _ in range(51):
        seen_by(viewer)
    page = text_of(as_user(viewer).get("/?q=service"))
    assert "Page 1 of 2, 51 services" in page
    assert 'href="?q=service&amp;page=2"' in page


@pytest.mark.parametrize(
    ("asked", "page", "rows"), [("2", 2, 1), ("3", 2, 1), ("999999999", 2, 1), ("0", 1, 50), ("x", 1, 50)]
)
def test_a_page_that_is_not_there_is_the_nearest_one(viewer, as_user, asked, page, rows):
    for _ in range(51):
        seen_by(viewer)
    context = as_user(viewer).get("/", {"page": asked}).context
    assert (context["page"].number, len(context["rows"]), context["page"].paginator.count) == (page, rows, 51)


def test_a_service_shows_both_colours_with_version_share_and_role(scene, as_user):
    page = text_of(as_user(scene.requester).get("/services/catalog/"))
    assert factories.digest("blue")[:12] in page
    assert factories.digest("green")[:12] in page
    assert "100 %" in page
    assert "stable" in page
    assert "Matches nobody; when it is on:" in page
    assert "rule 199: <code>127.0.0.9/32</code>" in page


def test_a_canary_that_is_on_is_shown_with_its_addresses(scene, as_user):
    Service.objects.update(activate_canary=True)
    page = text_of(as_user(scene.requester).get("/services/catalog/"))
    assert "Canary on" in page
    assert "serves the canary" in page


def test_a_service_without_a_release_offers_the_first_one(service, as_user):
    page = text_of(as_user(factories.requester(service)).get("/services/catalog/"))
    assert "Request the first release" in page


def test_what_one_may_not_do_is_disabled_with_its_reason_beside_it(scene, as_user):
    page = text_of(as_user(scene.requester).get("/services/catalog/"))
    assert "A release is open: it has to end first." in page
    assert "You may not roll this service back." in page


def test_a_failed_step_is_the_first_thing_on_the_page(scene, as_user):
    Step.objects.filter(pk=scene.canary.pk).update(status="failed", problem="AccessDenied: ModifyRule")
    page = text_of(as_user(scene.manager).get("/services/catalog/"))
    assert page.index("AccessDenied: ModifyRule") < page.index("Who is sent where")
    assert "Live now: blue 100 %, green 0 %" in page


def test_divided_users_without_a_release_are_called_so(viewer, as_user):
    service = seen_by(viewer, **SPLIT)
    page = text_of(as_user(viewer).get(f"/services/{service.name}/"))
    assert "Users are divided, and no release is open" in page


def test_the_history_comes_in_pages_newest_first(viewer, as_user):
    service = seen_by(viewer)
    for number in range(1, 14):
        factories.ReleaseFactory.create(service=service, number=number, status="promoted")
    client = as_user(viewer)
    newest = client.get(f"/services/{service.name}/")
    older = client.get(f"/services/{service.name}/?below={newest.context['older']}")
    assert [row[0].number for row in newest.context["history"]] == list(range(13, 3, -1))
    assert [row[0].number for row in older.context["history"]] == [3, 2, 1]
    assert older.context["older"] is None


@pytest.mark.parametrize("below", ["٣", "1e2", "-1", "9" * 10, "9" * 5000])
def test_a_number_in_an_address_that_is_none_of_ours_asks_for_nothing(viewer, as_user, below):
    service = seen_by(viewer)
    factories.ReleaseFactory.create(service=service, status="promoted")
    page = as_user(viewer).get(f"/services/{service.name}/", {"below": below})
    assert len(page.context["history"]) == 1


@pytest.mark.parametrize(
    ("age", "words"), [(timedelta(minutes=3), "3 min ago"), (timedelta(days=2), "2 d ago")]
)
def test_times_are_words_with_the_absolute_one_at_hand(viewer, as_user, age, words):
    service = seen_by(viewer)
    release = factories.ReleaseFactory.create(service=service, status="promoted")
    moment = timezone.now() - age
    Release.objects.filter(pk=release.pk).update(requested_at=moment)
    page = text_of(as_user(viewer).get(f"/services/{service.name}/"))
    assert f"{moment:%Y-%m-%d %H:%M:%S} UTC" in page
    assert words in page
