"""Removing a service: unused or given up knowingly, approved, destroyed, and kept as history."""

from datetime import timedelta

import pytest

from audit.models import AuditEvent
from aws import functions, load_balancer, metrics
from aws.errors import AwsError
from releases import selectors
from releases.domain.access.decisions import Permission
from releases.domain.access.roles import Role
from releases.domain.approval.approval_policy import PlanIdentity
from releases.domain.lifecycle import StepStatus
from releases.models import Step
from releases.permissions import NotAllowed, as_person, grant, visible_services
from releases.services.approval import approvals
from releases.services.provisioning import managed, removals, setup
from releases.services.provisioning.managed import ManagingRefused
from releases.services.provisioning.removals import RemovalRefused
from releases.services.tests.conftest import TESTS
from releases.services.tests.test_setup import wanted
from releases.tests import factories
from terraform_runner.errors import RunTimedOut


class Counted:
    """How many requests CloudWatch has counted; None: it says nothing."""

    def __init__(self) -> None:
        self.requests: int | None = 0
        self.asked: dict = {}

    def count(self, access, groups, **asked) -> int | None:
        self.asked = {"groups": groups, **asked}
        return self.requests


@pytest.fixture
def counted(monkeypatch, world, rules) -> Counted:
    made = Counted()
    monkeypatch.setattr(metrics, "count_requests", made.count)
    monkeypatch.setattr(load_balancer, "registered_targets", world.find)
    monkeypatch.setattr(functions, "check_function", world.find)
    return made


@pytest.fixture
def ask(world, service, keeper, counted):
    def ask(**changes) -> Step:
        given = {
            "service_id": service.pk,
            "user": keeper,
            "typed_name": service.name,
            "reason": "Nobody needs it",
            "gives_up_requests": False,
        }
        step = removals.request_removal(**{**given, **changes})
        world.work()
        step.refresh_from_db()
        return step

    return ask


def test_an_unused_service_is_removed_once_somebody_else_has_approved(ask, approve, world, service):
    step = ask()
    assert (step.status, step.gate) == (StepStatus.WAITING, True)
    assert approve(step).status == StepStatus.DONE
    service.refresh_from_db()
    assert service.removed_at is not None
    assert (world.is_gone, world.applied[-1]) == (True, {})


def test_its_history_stays_and_nobody_may_do_more_than_look(ask, approve, service, manager, operator, keeper):
    factories.give(manager, service, Role.MANAGER)
    factories.give(operator, service, Role.OPERATOR)
    factories.give(keeper, service, Role.APPROVER, Role.MANAGER)
    approve(ask())
    assert as_person(manager, service).permissions == {Permission.VIEW, Permission.AUDIT}
    assert as_person(operator, service).permissions == {Permission.VIEW}
    for user in (manager, operator):
        assert list(visible_services(user)) == [service]
    said = AuditEvent.objects.get(action="service.removed")
    assert (said.service_id, said.reason) == (str(service.pk), "Nobody needs it")


def test_whether_it_is_used_is_counted_for_both_sides_over_a_day(ask, counted):
    ask()
    asked = counted.asked
    assert asked["groups"] == ["arn:group/blue", "arn:group/green"]
    assert asked["load_balancer_arn"] == "arn:loadbalancer/app/demo/1"
    assert asked["until"] - asked["since"] == timedelta(hours=24)


@pytest.mark.parametrize(
    ("requests", "said"),
    [
        (17, "17 requests have reached it in the last 24 hours"),
        (None, "is not known: CloudWatch has counted nothing"),
    ],
)
def test_a_service_that_is_used_or_may_be_is_not_removed_as_unused(ask, counted, requests, said):
    counted.requests = requests
    with pytest.raises(RemovalRefused, match=said):
        ask()
    assert not Step.objects.filter(transition="remove").exists()


def test_metrics_that_can_not_be_read_tell_nothing(ask, monkeypatch):
    def refuse(*_, **__):
        raise AwsError("aws:refused", "AWS does not allow it.")

    monkeypatch.setattr(metrics, "count_requests", refuse)
    with pytest.raises(RemovalRefused, match="is not known: AWS does not allow it"):
        ask()


def test_requests_are_given_up_knowingly(ask, approve, counted, service):
    counted.requests = 17
    step = ask(gives_up_requests=True)
    assert AuditEvent.objects.get(action="removal.requested").after == {"gives_up_requests": True}
    assert approve(step).status == StepStatus.DONE


def test_requests_that_came_since_stop_the_apply_before_anything_is_destroyed(ask, approve, counted, world):
    step = ask()
    counted.requests = 3
    assert approve(step).status == StepStatus.FAILED
    assert step.problem.startswith("Nothing was destroyed. 3 requests have reached it")
    assert not world.is_gone


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"typed_name": "Shop"}, "removal:name"),
        ({"typed_name": ""}, "removal:name"),
        ({"typed_name": "shop "}, "removal:name"),
        ({"reason": "  "}, "removal:reason"),
    ],
)
def test_the_name_is_typed_and_the_reason_given(ask, changes, code):
    with pytest.raises(RemovalRefused) as refused:
        ask(**changes)
    assert refused.value.code == code


def test_without_the_right_nothing_is_removed(ask, operator):
    with pytest.raises(NotAllowed):
        ask(user=operator)


def test_while_a_release_is_open_or_users_are_split_nothing_is_removed(ask, life):
    life.request()
    with pytest.raises(ManagingRefused, match="A release is open"):
        ask()


def test_what_is_left_fails_the_removal_and_can_be_tried_again(
    ask, approve, world, keeper, service, monkeypatch
):
    step = ask()
    monkeypatch.setattr(functions, "check_function", lambda *_: None)
    assert approve(step).status == StepStatus.FAILED
    assert step.problem == "Still there: the function shop-blue; the function shop-green"
    monkeypatch.setattr(functions, "check_function", world.find)
    managed.retry(step_id=step.pk, user=keeper)
    world.work()
    service.refresh_from_db()
    assert service.removed_at is not None


def test_every_rule_is_looked_for_when_it_is_asked_what_is_left(service, counted, monkeypatch):
    service.more_canary_rule_arns = {'aws_lb_listener_rule.canary_slot["2"]': "arn:rule/second"}
    monkeypatch.setattr(load_balancer, "read_rules", lambda _, arns: arns)
    rules = [what for what in removals.what_is_left(service) if what.startswith("the rule")]
    assert rules == ["the rule arn:rule/traffic", "the rule arn:rule/canary", "the rule arn:rule/second"]


def test_a_removal_that_broke_off_is_tried_again_not_called_off(ask, approve, world, keeper):
    step = ask()
    world.apply_fails = RunTimedOut("Stopped after half an hour.")
    approve(step)
    with pytest.raises(ManagingRefused, match="A part may be destroyed already"):
        managed.cancel(step_id=step.pk, user=keeper)


def test_a_removal_that_waits_is_called_off(ask, keeper, service):
    step = ask()
    managed.cancel(step_id=step.pk, user=keeper)
    service.refresh_from_db()
    assert (service.removed_at, selectors.own_step(service)) == (None, None)


def test_a_removed_service_is_never_removed_again(ask, approve, keeper, service):
    approve(ask())
    with pytest.raises(NotAllowed):
        ask()


def test_a_set_up_that_failed_is_removed_with_what_is_there(world, counted, keeper, manager):
    world.apply_fails = RunTimedOut("Stopped after half an hour.")
    service = setup.create_service(wanted(), actor=TESTS)
    world.work()
    for user in (keeper, manager):
        grant(user, service, Permission.VIEW, Permission.MANAGE, Permission.APPROVE)
    world.apply_fails = None
    step = removals.request_removal(
        service_id=service.pk, user=keeper, typed_name="cart", reason="A mistake", gives_up_requests=False
    )
    world.work()
    step.refresh_from_db()
    run = step.plan_run
    assert run is not None
    shown = PlanIdentity(sha256=run.plan_sha256, changes_digest=run.changes_digest)
    approvals.approve(step_id=step.pk, user=manager, shown=shown)
    world.work()
    service.refresh_from_db()
    assert service.removed_at is not None
