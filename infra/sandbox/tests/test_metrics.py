"""The load balancer's counts as metrics."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.local.tests.waiting import wait_for
from infra.sandbox.metrics import Publisher
from infra.sandbox.tests.service import client, make_service

BALANCER = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/demo/1"
BLUE, GREEN = (
    f"arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/{color}/1"
    for color in ("blue", "green")
)
AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


class CloudWatch:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.found: list[tuple[str, float, datetime]] = []

    def put_metric_data(self, *, Namespace, MetricData):
        assert Namespace == "AWS/ApplicationELB"
        for datum in MetricData:
            names = " ".join(dimension["Value"] for dimension in datum["Dimensions"])
            self.found.append((names, datum["Value"], datum["Timestamp"]))


@pytest.fixture
def counts() -> list[dict]:
    return [
        {"target_group": BLUE, "status": 200, "count": 3},
        {"target_group": BLUE, "status": 502, "count": 1},
        {"target_group": "", "status": 503, "count": 9},
    ]


def test_what_came_since_the_last_time_is_published_of_each_group_and_of_the_load_balancer(counts):
    cloudwatch = CloudWatch()
    publisher = Publisher(cloudwatch, lambda: counts, load_balancer_arn=BALANCER)
    publisher.publish(AT)
    counts += [{"target_group": GREEN, "status": 200, "count": 2}]
    publisher.publish(AT + timedelta(seconds=5))
    assert cloudwatch.found == [
        ("app/demo/1", 4, AT),
        ("targetgroup/blue/1 app/demo/1", 4, AT),
        ("app/demo/1", 2, AT + timedelta(seconds=5)),
        ("targetgroup/green/1 app/demo/1", 2, AT + timedelta(seconds=5)),
    ]


def test_where_nobody_asks_nothing_is_published(counts):
    cloudwatch = CloudWatch()
    publisher = Publisher(cloudwatch, lambda: counts, load_balancer_arn=BALANCER)
    publisher.publish(AT)
    del cloudwatch.found[:]
    publisher.publish(AT)
    assert cloudwatch.found == []


def test_a_real_request_is_counted_within_seconds(sandbox):
    service = make_service(sandbox, "counted", priority=1_990, host="counted.example.com")
    began = datetime.now(UTC) - timedelta(minutes=1)
    for _ in range(3):
        assert service.get().status_code == 200
    group = service.groups["blue"].partition(":targetgroup/")[2]
    balancer = sandbox.load_balancer_arn.partition(":loadbalancer/")[2]
    asked = client(sandbox, "cloudwatch")

    def counted() -> float:
        found = asked.get_metric_statistics(
            Namespace="AWS/ApplicationELB",
            MetricName="RequestCount",
            Dimensions=[
                {"Name": "TargetGroup", "Value": f"targetgroup/{group}"},
                {"Name": "LoadBalancer", "Value": balancer},
            ],
            StartTime=began,
            EndTime=datetime.now(UTC) + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )
        return sum(point["Sum"] for point in found["Datapoints"])

    wait_for(lambda: counted() == 3, "the requests to be counted")
