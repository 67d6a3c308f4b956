"""What the load balancer has counted, as CloudWatch keeps it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aws.errors import in_words
from aws.session import Access, cloudwatch

SECONDS_PER_MINUTE, SECONDS_PER_HOUR = 60, 3600
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
    balancer = _balancer(load_balancer_arn)
    dimensions = [[{"Name": "TargetGroup", "Value": _group(arn)}, balancer] for arn in target_group_arns]
    queries = [
        _query(number, one, seconds=SECONDS_PER_HOUR) for number, one in enumerate([[balancer], *dimensions])
    ]
    found = [(one["Id"], one["Values"]) for one in _read(access, queries, since=since, until=until)]
    if not any(values for _, values in found):
        return None
    return int(sum(sum(values) for name, values in found if name != OF_THE_BALANCER))


def count_by_group(
    access: Access,
    target_group_arns: Sequence[str],
    *,
    load_balancer_arn: str,
    since: datetime,
    until: datetime,
) -> dict[str, int | None]:
    """How many requests each target group was sent in these minutes, by its ARN; None where nothing is known.

    ``since`` is the beginning of a minute. Raises ``AwsError``.
    """
    balancer = _balancer(load_balancer_arn)
    queries = [
        _query(number, [{"Name": "TargetGroup", "Value": _group(arn)}, balancer], seconds=SECONDS_PER_MINUTE)
        for number, arn in enumerate(target_group_arns)
    ]
    counted: dict[str, int | None] = dict.fromkeys(target_group_arns)
    for one in _read(access, queries, since=since, until=until):
        arn = target_group_arns[int(one["Id"].removeprefix("r"))]
        if one["Values"]:
            counted[arn] = (counted[arn] or 0) + int(sum(one["Values"]))
    return counted


def _read(
    access: Access, queries: Sequence[dict[str, Any]], *, since: datetime, until: datetime
) -> list[dict[str, Any]]:
    with in_words("read what the load balancer has counted"):
        pages = (
            cloudwatch(access)
            .get_paginator("get_metric_data")
            .paginate(MetricDataQueries=queries, StartTime=since, EndTime=until)
        )
        return [one for page in pages for one in page["MetricDataResults"]]


def _balancer(arn: str) -> dict[str, str]:
    return {"Name": "LoadBalancer", "Value": _after(arn, ":loadbalancer/")}


def _query(number: int, dimensions: list[dict[str, str]], *, seconds: int) -> dict[str, Any]:
    metric = {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount", "Dimensions": dimensions}
    return {
        "Id": f"r{number}",
        "MetricStat": {"Metric": metric, "Period": seconds, "Stat": "Sum"},
    }


def _group(arn: str) -> str:
    """The metric's name of a group: "targetgroup/shop-blue/73e2d6bc24d8a067"."""
    return f"targetgroup/{_after(arn, ':targetgroup/')}"


def _after(arn: str, mark: str) -> str:
    return arn.partition(mark)[2]
