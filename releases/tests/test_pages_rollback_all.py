"""The emergency button for everything in progress."""

import pytest
from celery import current_app
from django.db import OperationalError
from django.utils import timezone

from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.models import EmergencyRollback, Press, Service
from releases.permissions import grant
from releases.services.rollback import emergency, rollbacks
from releases.services.rollback.safe_traffic import SafeTraffic
from releases.tests import factories
from releases.tests.conftest import DOWN, text_of
from releases.tests.test_pages_queries import queries_of

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = {"service": ["catalog", "search"]}


@pytest.fixture
def split(scene, aws, monkeypatch) -> Service:
    """Two services in progress, beside one at rest and one that everybody was moved on; the second one is given."""
    monkeypatch.setattr(current_app, "send_task", lambda *_, **__: None)
    # On a busy machine a press waits for another one's end for longer than it may, and is in a file then.
    monkeypatch.setattr(rollbacks, "LOCK_TIMEOUT_MS", 60_000)
    Service.objects.update(green_weight=25, activate_canary=True)
    search = factories.ServiceFactory.create(name="search", green_weight=50)
    for other in (
        search,
        factories.ServiceFactory.create(name="resting"),
        factories.ServiceFactory.create(name="promoted", green_weight=100, promoted_at=timezone.now()),
    ):
        grant(scene.operator, other, Permission.VIEW, Permission.EMERGENCY)
    return search


def test_everything_in_progress_is_listed_with_where_it_goes(split, scene, as_user):
    page = text_of(as_user(scene.operator).get("/rollback/"))
    assert "catalog" in page
    assert "search" in page
    assert "everyone to BLUE · blue" in page
    assert "resting" not in page
    assert "promoted" not in page


def test_one_press_brings_all_of_them_back_and_says_so_for_each(split, scene, aws, as_user):
    browser = as_user(scene.operator)
    page = text_of(browser.get(browser.post("/rollback/", BOTH).url))
    for service in (scene.service, split):
        assert aws.weights[service.traffic_rule_arn] == SafeTraffic.of(service).weights
    assert page.count("all traffic is on blue, read back from the rules") == 2
    assert {press.name for press in Press.objects.all()} == {"operator"}


def test_what_is_not_chosen_is_left_alone(split, scene, as_user):
    as_user(scene.operator).post("/rollback/", {"service": ["search"]})
    assert EmergencyRollback.objects.get().service == split


def test_each_service_needs_its_own_right(split, scene, as_user):
    manager = as_user(scene.manager)
    assert "search" not in text_of(manager.get("/rollback/"))
    manager.post("/rollback/", BOTH)
    assert EmergencyRollback.objects.get().service == scene.service
    assert AuditEvent.objects.get(action="access.refused").service_id == str(split.pk)


def test_one_that_fails_holds_up_no_other(split, scene, aws, as_user, monkeypatch):
    set_weights = aws.set_weights

    def refuse_one(access, rule_arn, weights):
        if "search" in rule_arn:
            raise DOWN
        set_weights(access, rule_arn, weights)

    monkeypatch.setattr("aws.load_balancer.set_weights", refuse_one)
    browser = as_user(scene.operator)
    page = text_of(browser.get(browser.post("/rollback/", BOTH).url))
    assert "AWS did not answer. Try again." in page
    assert page.count("all traffic is on blue, read back from the rules") == 1


def test_who_was_refused_meanwhile_is_told(split, scene, as_user, monkeypatch):
    def nothing(*_):
        raise emergency.NothingToRollBack("act:nothing", "Everyone is on blue already.")

    monkeypatch.setattr(emergency, "refuse_unless_allowed", nothing)
    browser = as_user(scene.operator)
    page = text_of(browser.get(browser.post("/rollback/", BOTH).url))
    assert "search: Everyone is on blue already." in page
    assert "Nothing was pressed." in page


def test_presses_that_wait_for_the_database_are_there_too(
    split, scene, as_user, monkeypatch, settings, tmp_path
):
    settings.DATA_DIR = tmp_path

    def stuck(_):
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(rollbacks, "record", stuck)
    browser = as_user(scene.operator)
    response = browser.get(browser.post("/rollback/", BOTH).url)
    assert text_of(response).count("the press is recorded by itself") == 2
    assert response["Refresh"] == "2"


def test_the_list_leads_there_and_to_each_service_for_those_who_may_press(split, scene, as_user):
    page = text_of(as_user(scene.operator).get("/"))
    assert 'href="/rollback/"' in page
    assert 'id="rollback-promoted"' in page
    assert 'id="rollback-resting"' not in page
    other = text_of(as_user(scene.requester).get("/"))
    assert 'href="/rollback/"' not in other
    assert "Roll back" not in other


def test_the_result_of_many_needs_as_many_queries_as_that_of_one(split, scene, as_user):
    browser = as_user(scene.operator)
    one = browser.post("/rollback/", {"service": ["search"]}).url
    count = queries_of(browser, one)
    for number in range(5):
        made = factories.ServiceFactory.create(name=f"more-{number}", green_weight=50)
        grant(scene.operator, made, Permission.VIEW, Permission.EMERGENCY)
    many = browser.post("/rollback/", {"service": [f"more-{number}" for number in range(5)]}).url
    assert queries_of(browser, many) == count
