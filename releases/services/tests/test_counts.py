"""Whether a rollback is seen in the load balancer's counts: read now and then, and never a pass by silence."""

from datetime import timedelta

import pytest
from django.utils import timezone

from aws import metrics
from aws.errors import AwsError
from releases.models import EmergencyRollback, Service, Step, StepRun, TrafficCount
from releases.services.rollback import counts
from terraform_runner.domain.runs import Operation
from terraform_runner.models import Run

BLUE, GREEN = "arn:group/blue", "arn:group/green"


@pytest.fixture
def asked(monkeypatch) -> list[dict]:
    """What CloudWatch was asked; blue was sent 120 requests, and nothing was heard of green."""
    calls: list[dict] = []

    def count_by_group(access, arns, **given):
        calls.append({"arns": arns, **given})
        return {BLUE: 120, GREEN: None}

    monkeypatch.setattr(metrics, "count_by_group", count_by_group)
    return calls


@pytest.fixture
def back(life, asked):
    """Rolled back from a half, three minutes ago."""
    life.request()
    life.go_to(50)
    life.rollback = life.roll_back()
    back_for(minutes=3)
    return life


def back_for(*, minutes: float) -> None:
    moment = timezone.now() - timedelta(minutes=minutes)
    EmergencyRollback.objects.update(traffic_back_at=moment, pressed_at=moment)


def found() -> TrafficCount:
    return TrafficCount.objects.get()


def test_the_requests_of_both_sides_are_read_from_the_first_whole_minute_on(back, asked):
    Service.objects.update(listener_arn="arn:aws:elasticloadbalancing:eu-central-1:1:listener/app/web/1/2")
    assert counts.count_due() == 1
    assert (found().safe, found().other, found().problem) == (120, None, "")
    (call,) = asked
    assert call["arns"] == [BLUE, GREEN]
    assert call["load_balancer_arn"].endswith(":loadbalancer/app/web/1")
    assert call["since"] == found().since
    assert (found().since.second, found().since.microsecond) == (0, 0)
    back_at = EmergencyRollback.objects.values_list("traffic_back_at", flat=True).get()
    assert back_at is not None
    assert timedelta() <= found().since - back_at < timedelta(minutes=1)


def test_they_are_read_again_and_again_for_a_quarter_of_an_hour(back):
    counts.count_due()
    assert counts.count_due() == 0
    TrafficCount.objects.update(read_at=timezone.now() - timedelta(seconds=16))
    assert counts.count_due() == 1
    TrafficCount.objects.all().delete()
    back_for(minutes=16)
    assert counts.count_due() == 0


def test_before_the_first_whole_minute_nobody_is_asked(back, asked, monkeypatch):
    back_at = timezone.now().replace(second=1)
    EmergencyRollback.objects.update(traffic_back_at=back_at)
    monkeypatch.setattr(counts, "now", lambda: back_at + timedelta(seconds=58))
    counts.count_due()
    assert asked == []
    assert (found().safe, found().other) == (None, None)


def test_a_problem_is_kept_in_words(back, monkeypatch):
    def gone(*_, **__):
        raise AwsError("aws:refused", "AWS does not allow Bluegreen to read the counts.")

    monkeypatch.setattr(metrics, "count_by_group", gone)
    counts.count_due()
    assert (found().problem, found().safe) == ("AWS does not allow Bluegreen to read the counts.", None)


def test_where_users_are_sent_elsewhere_on_purpose_by_now_nothing_is_counted(back):
    step = Step.objects.create(service=back.service, transition="shift", candidate_share=90, epoch=1)
    plan = Run.objects.create(workspace="x", operation=Operation.PLAN, plan_used_at=timezone.now())
    StepRun.objects.create(step=step, run=plan)
    assert counts.count_due() == 0


def test_of_two_rollbacks_the_last_one_is_counted(back):
    Service.objects.update(epoch=2)
    assert counts.count_due() == 0
