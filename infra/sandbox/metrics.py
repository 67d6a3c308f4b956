"""What the load balancer has counted, published as the metrics that AWS publishes: a few seconds late, not minutes."""

import json
import logging
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import boto3

from infra.sandbox.info import SandboxInfo

logger = logging.getLogger(__name__)

# A part of a minute, so that no span reaches into the next one.
PUBLISH_SECONDS = 5

Counts = Sequence[Mapping[str, Any]]


class Publisher:
    """Publishes how many requests each target group was sent since the last time, and all of them together.

    ``counts`` gives the load balancer's counts since it began.
    """

    def __init__(self, client: Any, counts: Callable[[], Counts], *, load_balancer_arn: str) -> None:  # noqa: ANN401 - boto3's clients have no type of their own
        self._client, self._counts = client, counts
        self._balancer = {"Name": "LoadBalancer", "Value": load_balancer_arn.partition(":loadbalancer/")[2]}
        self._published: Counter[str] = Counter()

    def publish(self, since: datetime) -> None:
        """Publish what was counted from this moment on; nothing where nobody has asked, as AWS does."""
        counted: Counter[str] = Counter()
        for row in self._counts():
            counted[row["target_group"]] += row["count"]
        del counted[""]
        new, self._published = counted - self._published, counted
        if new:
            groups = [([_group(arn), self._balancer], number) for arn, number in new.items()]
            data = [_datum(*one, since) for one in [([self._balancer], new.total()), *groups]]
            self._client.put_metric_data(Namespace="AWS/ApplicationELB", MetricData=data)


@contextmanager
def publishing(info: SandboxInfo) -> Iterator[None]:
    """Publish every few seconds, for as long as the context lasts."""
    client = boto3.client(
        "cloudwatch",
        endpoint_url=info.endpoint_url,
        region_name=info.region,
        aws_access_key_id=info.access_key_id,
        aws_secret_access_key=info.secret_access_key,
    )
    counts = f"{info.url}/-/sandbox/counts"
    publisher = Publisher(client, lambda: _read(counts), load_balancer_arn=info.load_balancer_arn)
    ended = threading.Event()
    thread = threading.Thread(target=_publish_on, args=(publisher, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _publish_on(publisher: Publisher, ended: threading.Event) -> None:
    since = time.time()
    while not ended.wait(PUBLISH_SECONDS - time.time() % PUBLISH_SECONDS):
        try:
            publisher.publish(datetime.fromtimestamp(since, UTC))
        except Exception:
            logger.exception("the load balancer's counts could not be published")
        since = time.time()


def _read(address: str) -> Counts:
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - the sandbox's own address
        counts: Counts = json.load(answer)
        return counts


def _group(arn: str) -> dict[str, str]:
    return {"Name": "TargetGroup", "Value": f"targetgroup/{arn.partition(':targetgroup/')[2]}"}


def _datum(dimensions: Sequence[Mapping[str, str]], number: int, at: datetime) -> dict[str, Any]:
    return {
        "MetricName": "RequestCount",
        "Dimensions": list(dimensions),
        "Timestamp": at,
        "Value": float(number),
    }
