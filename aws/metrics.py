"""What the load balancer has counted, as CloudWatch keeps it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aws.errors import in_words
from aws.session import Access, cloudwatch

SECONDS_PER_HOUR = 3600
OF_THE_BALANCER = "r0"


def count_requests(
    access: Access,
    target_group_arns: Sequence[str],
    *,
    load_balancer_arn: str,
    since: datetime,
    until: datetime,
) -> int | None:
    """How many requests these target groups were sent; None where nothing is known.

    CloudWatch has no data where there were no requests, and none either where metrics do not arrive. So silence about
    the groups counts as no requests only where something was counted for their load balancer in the same time.
    Raises ``AwsError``.
    """
    balancer = {"Name": "LoadBalancer", "Value": _after(load_balancer_arn, ":loadbalancer/")}
    dimensions = [[{"Name": "TargetGroup", "Value": _group(arn)}, balancer] for arn in target_group_arns]
    queries = [_query(number, one) for number, one in enumerate([[balancer], *dimensions])]
    with in_words("read what the load balancer has counted"):
        pages = (
            cloudwatch(access)
            .get_paginator("get_metric_data")
            .paginate(MetricDataQueries=queries, StartTime=since, EndTime=until)
        )
        found = [(one["Id"], one["Values"]) for page in pages for one in page["MetricDataResults"]]
    if not any(values for _, values in found):
        return None
    return int(sum(sum(values) for name, values in found if name != OF_THE_BALANCER))


def _query(number: int, dimensions: list[dict[str, str]]) -> dict[str, Any]:
    metric = {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount", "Dimensions": dimensions}
    return {
        "Id": f"r{number}",
        "MetricStat": {"Metric": metric, "Period": SECONDS_PER_HOUR, "Stat": "Sum"},
    }


def _group(arn: str) -> str:
    """The metric's name of a group: "targetgroup/shop-blue/73e2d6bc24d8a067"."""
    return f"targetgroup/{_after(arn, ':targetgroup/')}"


def _after(arn: str, mark: str) -> str:
    return arn.partition(mark)[2]
