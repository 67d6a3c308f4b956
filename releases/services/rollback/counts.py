"""After a rollback: what the load balancer has counted, read now and then, and kept for the page that shows it."""

from datetime import datetime, timedelta

from aws import metrics
from aws.errors import AwsError
from releases import push
from releases.domain.observed import counts
from releases.domain.traffic import Color
from releases.models import EmergencyRollback, Service, TrafficCount
from releases.selectors import rollbacks as rollback_selectors
from releases.services.execution.accounts import access
from releases.services.lifecycle import now

COUNT_AFTER = timedelta(seconds=15)
# An AWS that is slow must not keep a worker for long.
AT_ONCE = 10


def count_due() -> int:
    """Read the counts of rollbacks of a short time ago; says of how many."""
    due = rollback_selectors.rollbacks_to_count(
        back_within=counts.LOOKED_AT_FOR, read_before=now() - COUNT_AFTER
    )[:AT_ONCE]
    for rollback in due:
        count(rollback)
    return len(due)


def count(rollback: EmergencyRollback) -> TrafficCount:
    """Read what was counted since the traffic of a rollback was back, and keep that."""
    moment, service = now(), rollback.service
    since = counts.first_whole_minute(rollback.traffic_back_at or moment)
    found = TrafficCount(rollback=rollback, read_at=moment, since=since)
    if since < moment:
        _read(found, service, Color(rollback.safe_color), until=moment)
    TrafficCount.objects.bulk_create(
        [found],
        update_conflicts=True,
        unique_fields=["rollback"],
        update_fields=["read_at", "since", "safe", "other", "problem"],
    )
    push.service_changed(service.pk)
    return found


def _read(found: TrafficCount, service: Service, safe: Color, *, until: datetime) -> None:
    groups = [service.target_group_arn(safe), service.target_group_arn(safe.other)]
    load_balancer_arn = service.listener_arn.rpartition("/")[0].replace(":listener/", ":loadbalancer/")
    try:
        numbers = metrics.count_by_group(
            access(service), groups, load_balancer_arn=load_balancer_arn, since=found.since, until=until
        )
    except AwsError as error:
        found.problem = error.message
    else:
        found.safe, found.other = (numbers[arn] for arn in groups)
