"""A new service: its record, its first run, and another try where the first one failed."""

import pytest
from django.db import IntegrityError, transaction

from audit.models import AuditEvent
from aws import images
from aws.errors import AwsError
from releases.domain.lifecycle import StepStatus
from releases.domain.traffic import Color, Transition
from releases.models import Service, Step
from releases.services.lifecycle import locked
from releases.services.provisioning import setup
from releases.services.provisioning.setup import NewService
from releases.services.tests.conftest import TESTS
from releases.services.tests.world import REPOSITORY, reference
from terraform_runner.domain.runs import Operation, RunStatus
from terraform_runner.errors import RunTimedOut, StateLocked
from terraform_runner.models import Run

pytestmark = pytest.mark.django_db
LOCKED = StateLocked("Locked by ana.", who="ana", since="", operation="")


def wanted(**changes) -> NewService:
    given = {
        "name": "cart",
        "family": "crt",
        "environment": "production",
        "region": "eu-central-1",
        "account_id": "123456789012",
        "listener_arn": "arn:listener",
        "repository_uri": REPOSITORY,
        "tag": "v1",
    }
    return NewService(**{**given, **changes})


def test_a_new_service_has_one_image_by_digest_on_both_colours(world):
    service = setup.create_service(wanted(), actor=TESTS)
    assert service.blue_image == service.green_image == reference("v1")
    assert service.blue_tag == service.green_tag == "v1"
    assert (service.state.candidate_share, service.state.activate_canary) == (0, False)
    assert (service.safe_color, service.set_up_at) == (Color.BLUE, None)


def test_its_set_up_is_planned_at_once_and_needs_neither_start_nor_approval(world):
    service = setup.create_service(wanted(), actor=TESTS)
    step = Step.objects.get(service=service)
    assert (step.transition, step.status, step.gate) == (Transition.SET_UP, StepStatus.PLANNING, False)
    run = Run.objects.get(workspace=str(service.pk))
    assert (run.operation, run.status) == (Operation.PLAN, RunStatus.QUEUED)
    world.work()
    service.refresh_from_db()
    assert service.set_up_at is not None


def test_a_new_service_s_role_has_the_least_rights(world):
    service = setup.create_service(wanted(), actor=TESTS)
    assert service.role_rights == "least"
    world.work()
    assert world.applied[-1]["role_rights"] == "least"


def test_what_was_said_about_it_is_in_the_trail(world):
    service = setup.create_service(wanted(weights=[5, 50], hostnames=["cart.example.com"]), actor=TESTS)
    event = AuditEvent.objects.get(action="service.created")
    assert (event.actor_name, event.service_id) == ("tests", str(service.pk))
    assert (event.after["weights"], event.after["tag"]) == ([5, 50], "v1")
    assert (service.weights, service.hostnames) == ([5, 50], ["cart.example.com"])


def test_without_its_image_there_is_no_service(world, monkeypatch):
    def missing(*_):
        raise AwsError("aws:image-missing", "There is no image v9.")

    monkeypatch.setattr(images, "resolve_image", missing)
    with pytest.raises(AwsError):
        setup.create_service(wanted(tag="v9"), actor=TESTS)
    assert not Service.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_second_service_of_the_same_name_leaves_nothing_behind(service):
    runs, events = Run.objects.count(), AuditEvent.objects.count()
    with pytest.raises(IntegrityError), transaction.atomic():
        setup.create_service(wanted(name=service.name), actor=TESTS)
    assert (Run.objects.count(), AuditEvent.objects.count()) == (runs, events)


@pytest.mark.parametrize("priority", [1, 50_001])
def test_the_database_refuses_a_priority_that_leaves_no_room_for_the_canary_rule(world, priority):
    with pytest.raises(IntegrityError, match="service_priority_in_range"), transaction.atomic():
        setup.create_service(wanted(priority=priority), actor=TESTS)


def test_after_a_set_up_that_failed_another_try_takes_its_place(world):
    world.plan_fails = LOCKED
    service = setup.create_service(wanted(), actor=TESTS)
    world.work()
    assert Step.objects.get(service=service).status == StepStatus.FAILED
    world.plan_fails = None
    with locked(service.pk) as service:
        setup.begin_set_up(service, actor=TESTS)
    world.work()
    first, second = Step.objects.filter(service=service).order_by("created_at")
    assert (first.status, second.status) == (StepStatus.ABANDONED, StepStatus.DONE)
    service.refresh_from_db()
    assert service.set_up_at is not None


def test_an_apply_that_failed_half_way_is_finished_by_the_next_try(world):
    world.apply_fails = RunTimedOut("Stopped after half an hour.")
    service = setup.create_service(wanted(), actor=TESTS)
    world.work()
    service.refresh_from_db()
    assert (service.set_up_at, service.traffic_rule_arn) == (None, "")
    world.apply_fails = None
    with locked(service.pk) as service:
        setup.begin_set_up(service, actor=TESTS)
    world.work()
    service.refresh_from_db()
    assert service.traffic_rule_arn == "arn:rule/traffic"
    assert service.function_versions == {Color.BLUE: "1", Color.GREEN: "1"}
