from datetime import UTC, datetime, timedelta

import boto3
import pytest

from aws.errors import AwsError
from aws.metrics import count_by_group, count_requests
from aws.session import cloudwatch

ELB = "arn:aws:elasticloadbalancing:eu-central-1:123456789012"
BALANCER, BLUE, GREEN = (
    f"{ELB}:loadbalancer/app/shop/1",
    f"{ELB}:targetgroup/blue/2",
    f"{ELB}:targetgroup/green/3",
)
UNTIL = datetime(2026, 5, 1, 12, tzinfo=UTC)
SINCE = UNTIL - timedelta(hours=24)


def counted(scripted, **values):
    """What is said of requests when CloudWatch answers with these values."""
    access, answer = scripted
    results = [{"Id": name, "Values": numbers} for name, numbers in values.items()]
    answer(cloudwatch(access), ("get_metric_data", None, {"MetricDataResults": results}))
    return count_requests(access, [BLUE, GREEN], load_balancer_arn=BALANCER, since=SINCE, until=UNTIL)


def test_the_requests_of_both_groups_are_added_up(scripted):
    assert counted(scripted, r0=[900.0], r1=[3.0, 4.0], r2=[5.0]) == 12


def test_silence_about_the_groups_is_no_requests_where_their_load_balancer_was_heard_of(scripted):
    assert counted(scripted, r0=[900.0], r1=[], r2=[]) == 0


def test_silence_about_everything_tells_nothing(scripted):
    assert counted(scripted, r0=[], r1=[], r2=[]) is None


def test_groups_that_were_heard_of_count_without_their_load_balancer(scripted):
    assert counted(scripted, r0=[], r1=[0.0], r2=[]) == 0


def test_all_pages_count(scripted):
    access, answer = scripted
    page = {"MetricDataResults": [{"Id": "r1", "Values": [2.0]}]}
    answer(
        cloudwatch(access),
        ("get_metric_data", None, {**page, "NextToken": "more"}),
        ("get_metric_data", None, page),
    )
    assert count_requests(access, [BLUE], load_balancer_arn=BALANCER, since=SINCE, until=UNTIL) == 4


def test_each_group_is_counted_by_itself_and_one_that_was_not_heard_of_is_not_known(scripted):
    access, answer = scripted
    results = [{"Id": "r0", "Values": [3.0, 4.0]}, {"Id": "r1", "Values": []}]
    answer(cloudwatch(access), ("get_metric_data", None, {"MetricDataResults": results}))
    found = count_by_group(access, [BLUE, GREEN], load_balancer_arn=BALANCER, since=SINCE, until=UNTIL)
    assert found == {BLUE: 7, GREEN: None}


def test_what_does_not_answer_is_no_silence(scripted):
    access, _ = scripted
    with pytest.raises(AwsError, match="read what the load balancer has counted"):
        count_requests(access, [BLUE], load_balancer_arn=BALANCER, since=SINCE, until=UNTIL)


def test_a_real_api_finds_them_by_the_names_that_aws_publishes_them_under(access, sandbox):
    group = f"targetgroup/metrics-{sandbox.pid}/9"
    balancer = {"Name": "LoadBalancer", "Value": sandbox.load_balancer_arn.partition("loadbalancer/")[2]}
    publisher = boto3.client(
        "cloudwatch",
        endpoint_url=sandbox.endpoint_url,
        region_name=sandbox.region,
        aws_access_key_id=sandbox.access_key_id,
        aws_secret_access_key=sandbox.secret_access_key,
    )
    now = datetime.now(UTC)
    metric = {
        "MetricName": "RequestCount",
        "Dimensions": [{"Name": "TargetGroup", "Value": group}, balancer],
        "Timestamp": now - timedelta(minutes=10),
        "Value": 7.0,
    }
    publisher.put_metric_data(Namespace="AWS/ApplicationELB", MetricData=[metric])
    found = count_requests(
        access,
        [f"{ELB}:{group}"],
        load_balancer_arn=sandbox.load_balancer_arn,
        since=now - timedelta(hours=2),
        until=now + timedelta(minutes=1),
    )
    assert found == 7
