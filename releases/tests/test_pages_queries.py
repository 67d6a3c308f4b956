"""The number of queries of a page does not grow with what it shows."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit import events
from audit.events import Actor
from releases.domain.access.decisions import Permission
from releases.models import Delivery, Message, Release, Service
from releases.permissions import grant, grant_set_up
from releases.tests import factories

# Session, person, and what is asked about them for the header; the services, their steps and their releases.
MOST_FOR_THE_LIST = 6


def queries_of(client: Client, address: str) -> int:
    # The first request of a process also reads content types, which stay in memory.
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def add_services(person, count: int) -> None:
    for _ in range(count):
        service = factories.ServiceFactory.create()
        grant(person, service, Permission.VIEW, Permission.APPROVE, Permission.EMERGENCY)
        release = factories.release_with_steps(service, factories.UserFactory.create(), number=1)
        factories.put_in_place(service, release)
        factories.waiting_step(release.steps.get(transition="canary"))


# Much of it is about the gate that the release stands before, and about what its reader may do there.
MOST_FOR_A_RELEASE = 43
# The inbox also shows the oldest of its plans with all that a decision needs.
MOST_FOR_THE_INBOX = 24


@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("/", MOST_FOR_THE_LIST),
        ("/inbox/", MOST_FOR_THE_INBOX),
        ("/services/new/", 5),
        ("/rollback/", 3),
    ],
)
def test_twenty_services_need_as_many_queries_as_one(db, as_user, address, most):
    person = factories.UserFactory.create()
    grant_set_up(person)
    client = as_user(person)
    add_services(person, 1)
    one = queries_of(client, address)
    add_services(person, 19)
    assert queries_of(client, address) == one <= most


def test_twenty_releases_need_as_many_queries_as_one(scene, as_user):
    client = as_user(scene.manager)
    one = queries_of(client, "/services/catalog/")
    factories.ReleaseFactory.create_batch(20, service=scene.service, status="promoted")
    assert queries_of(client, "/services/catalog/") == one


@pytest.mark.parametrize("below", ["", "record/"])
def test_twenty_more_steps_and_events_need_no_more_queries(scene, as_user, below):
    client = as_user(scene.manager)
    address = f"/services/catalog/releases/{scene.release.number}/{below}"
    one = queries_of(client, address)
    assert one <= MOST_FOR_A_RELEASE
    for position in range(20, 40):
        step = factories.StepFactory.create(release=scene.release, position=position, candidate_share=99)
        events.record(
            actor=Actor(id="", name="x", via="page"),
            action="step.done",
            service_id=str(scene.service.pk),
            subject={"step": str(step.pk), "release": str(scene.release.pk)},
        )
    assert queries_of(client, address) == one


def test_fifty_events_need_as_many_queries_as_one(scene, as_user):
    def happens() -> None:
        events.record(
            actor=Actor(id="", name="x", via="page"),
            action="step.done",
            service_id=str(scene.service.pk),
            subject={"release": str(scene.release.pk)},
        )

    client = as_user(scene.manager)
    happens()
    one = queries_of(client, "/audit/")
    for _ in range(50):
        happens()
    assert queries_of(client, "/audit/") == one


def test_a_release_that_has_ended_asks_no_more_however_many_applies_there_were(scene, as_user):
    scene.release.steps.update(status="done")
    Release.objects.update(status="promoted")
    client = as_user(scene.manager)
    address = f"/services/catalog/releases/{scene.release.number}/"
    assert client.get(address).context["next"] is not None
    one = queries_of(client, address)
    for number in range(20):
        older = factories.release_with_steps(
            scene.service, scene.requester, number=scene.release.number + 1 + number, status="promoted"
        )
        factories.waiting_step(older.steps.get(transition="canary"))
        older.steps.update(status="done")
    assert queries_of(client, address) == one


def test_other_services_do_not_make_a_service_s_page_dearer(scene, as_user):
    client = as_user(scene.manager)
    one = queries_of(client, "/services/catalog/")
    add_services(scene.manager, 5)
    assert Service.objects.count() == 6
    assert queries_of(client, "/services/catalog/") == one


@pytest.mark.parametrize("address", ["/messages/", "/services/catalog/messages/"])
def test_many_messages_need_no_more_queries(scene, as_user, address):
    grant(scene.manager, scene.service, Permission.MANAGE)
    client = as_user(scene.manager)
    message = Message.objects.get(service=scene.service)
    message.content = {"service": "catalog", "environment": "production"}
    message.save()
    Delivery.objects.create(message=message, to="one")
    one = queries_of(client, address)
    for number in range(20):
        Delivery.objects.create(message=message, to=f"one of {number}", state="failed")
    assert queries_of(client, address) == one
