"""The emergency button against a real API and load balancer, with nothing else running: no Redis, no worker."""

import socket
from typing import Any

import pytest
import requests
from celery import Celery

from audit.models import AuditEvent
from aws.errors import AwsError
from releases import dispatch
from releases.domain.access.decisions import Permission
from releases.domain.lifecycle import StepStatus
from releases.domain.traffic import Color
from releases.models import EmergencyRollback, Release, Service
from releases.services.rollback import emergency
from releases.services.rollback.emergency import NothingToRollBack
from releases.tests import factories
from releases.tests.factories import ReleaseFactory, StepFactory
from terraform_runner.domain.runs import RunStatus
from terraform_runner.models import Run
from tests.at_aws import Installed, forward, install

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch, settings):
    """Nobody listens where the broker should be."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        broker = f"redis://127.0.0.1:{taken.getsockname()[1]}/0"
        settings.CELERY_BROKER_URL = broker
        app = Celery("nobody", set_as_current=False)
        app.config_from_object(settings, namespace="CELERY")
        monkeypatch.setattr(dispatch, "current_app", app)
        yield


@pytest.fixture
def service(sandbox, settings) -> Installed:
    return install(sandbox, settings)


@pytest.fixture
def release(service) -> Release:
    """The one that has brought half of the users to green; what is left of it is to come."""
    made = ReleaseFactory.create(service=service.row)
    StepFactory.create(release=made, transition="promote", candidate_share=100)
    return made


@pytest.fixture
def operator(service):
    return factories.person(f"operator-{service.row.name}", service.row, Permission.EMERGENCY)


def press(service: Installed, user: Any) -> EmergencyRollback:
    return emergency.roll_back(service_id=service.row.pk, user=user)


def answering(service: Installed, url: str) -> set[str]:
    """The digests that answer forty requests: at 50 % both do, but once in a hundred billion times."""
    headers = {"host": service.host()}
    answers = [requests.get(f"{url}/", headers=headers, timeout=10) for _ in range(40)]
    assert {answer.status_code for answer in answers} == {200}
    return {answer.headers["X-Version-Digest"] for answer in answers}


def recorded(service: Installed) -> Service:
    return Service.objects.get(pk=service.row.pk)


def test_before_it_users_are_split_and_testers_are_on_the_candidate(service):
    assert answering(service, service.info.everyone_url) == {service.digest("blue"), service.digest("green")}
    assert answering(service, service.info.you_url) == {service.digest("green")}


def test_everybody_and_the_testers_are_answered_by_the_safe_version_at_once(service, release, operator):
    rollback = press(service, operator)
    assert (rollback.problem, rollback.traffic_back_at is None) == ("", False)
    assert service.weights("traffic") == service.weights("canary") == {"blue": 100, "green": 0}
    assert answering(service, service.info.everyone_url) == {service.digest("blue")}
    assert answering(service, service.info.you_url) == {service.digest("blue")}


def test_the_candidate_is_the_safe_one_while_the_stable_function_is_being_changed(service, operator):
    Service.objects.filter(pk=service.row.pk).update(safe_color=Color.GREEN)
    press(service, operator)
    assert service.weights("traffic") == service.weights("canary") == {"blue": 0, "green": 100}
    assert answering(service, service.info.everyone_url) == {service.digest("green")}


def test_nothing_but_the_weights_is_changed(service, release, operator):
    before = {name: service.rule(name) for name in ("traffic", "canary")}
    press(service, operator)
    for name, rule in before.items():
        after = service.rule(name)
        assert after["Conditions"] == rule["Conditions"]
        assert after["Priority"] == rule["Priority"]
        assert [action["Type"] for action in after["Actions"]] == ["forward"]


def test_without_redis_and_workers_the_press_is_recorded_and_terraform_s_part_waits(
    service, release, operator, caplog
):
    rollback = press(service, operator)
    rollback.converge.refresh_from_db()
    assert rollback.converge.status == StepStatus.PLANNING
    run = Run.objects.get(workspace=str(service.row.pk))
    assert (run.status, run.pk) == (RunStatus.QUEUED, rollback.converge.plan_run_id)
    assert "waits for the sweeper" in caplog.text
    assert (recorded(service).green_weight, recorded(service).epoch) == (0, 1)
    release.refresh_from_db()
    assert release.status == "rolled_back"


def test_a_rule_that_somebody_led_elsewhere_is_left_alone_and_said(service, release, operator):
    foreign = service.elbv2.create_target_group(Name=f"{service.row.name}-x", TargetType="lambda")
    arn = foreign["TargetGroups"][0]["TargetGroupArn"]
    actions = forward(service.row.blue_target_group_arn, 50, arn, 50)
    service.elbv2.modify_rule(RuleArn=service.row.traffic_rule_arn, Actions=actions)
    before = service.rule("traffic")
    rollback = press(service, operator)
    assert "somebody changed it outside of Bluegreen" in rollback.problem
    assert rollback.traffic_back_at is None
    assert service.rule("traffic") == before
    assert recorded(service).green_weight == 50
    failed = AuditEvent.objects.get(action="rollback.failed", service_id=str(service.row.pk))
    assert failed.reason == rollback.problem


def test_the_testers_are_brought_back_even_where_the_traffic_rule_cannot_be(service, release, operator):
    service.elbv2.modify_rule(
        RuleArn=service.row.traffic_rule_arn,
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}],
    )
    rollback = press(service, operator)
    assert "does not forward to the two target groups" in rollback.problem
    assert service.weights("canary") == {"blue": 100, "green": 0}


def test_an_aws_that_is_gone_is_said_and_a_second_press_succeeds(service, release, operator, settings):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        settings.AWS_ENDPOINT_URL = f"http://127.0.0.1:{taken.getsockname()[1]}"
        first = press(service, operator)
    assert first.problem != ""
    assert first.traffic_back_at is None
    assert recorded(service).green_weight == 50
    settings.AWS_ENDPOINT_URL = service.info.endpoint_url
    second = press(service, operator)
    assert (second.pk, second.problem, second.traffic_back_at is None) == (first.pk, "", False)
    assert service.weights("traffic") == {"blue": 100, "green": 0}
    assert EmergencyRollback.objects.count() == 1


def test_weights_changed_by_hand_are_reason_enough_to_press(service, operator):
    Service.objects.filter(pk=service.row.pk).update(green_weight=0, activate_canary=False)
    press(service, operator)
    assert service.weights("traffic") == {"blue": 100, "green": 0}


def test_where_records_and_rules_agree_there_is_nothing_to_press_for(service, operator):
    Service.objects.filter(pk=service.row.pk).update(green_weight=0, activate_canary=False)
    service.set_actions("traffic", 100, 0)
    service.set_actions("canary", 100, 0)
    with pytest.raises(NothingToRollBack):
        press(service, operator)
    assert recorded(service).epoch == 0


def test_where_the_records_see_no_need_and_aws_cannot_be_asked_it_is_said_and_nothing_recorded(
    service, operator, settings
):
    Service.objects.filter(pk=service.row.pk).update(green_weight=0, activate_canary=False)
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    with pytest.raises(AwsError) as problem:
        press(service, operator)
    assert problem.value.code == "aws:unreachable"
    assert recorded(service).epoch == 0
    assert not EmergencyRollback.objects.exists()
