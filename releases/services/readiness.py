"""Whether the function that a rollback leads to could serve everybody now, and that it stays so.

Lambda lets a function that nobody calls for weeks become ``Inactive``: one that may have to take over is probed now and
then, which keeps it awake, or wakes it.
"""

import logging
from datetime import timedelta

from aws import functions
from aws.accounts import Purpose
from aws.errors import AwsError
from releases import push, rollback_selectors
from releases.domain.reality import cannot_serve
from releases.domain.traffic import Color
from releases.models import Readiness, Service
from releases.services import expectations
from releases.services.accounts import access
from releases.services.lifecycle import now
from releases.services.realities import read_color

logger = logging.getLogger(__name__)

CHECK_AFTER = timedelta(minutes=5)
PROBE_AFTER = timedelta(hours=1)
# A store of many services, or an AWS that is slow, must not keep a worker for long.
AT_ONCE = 10


def check_due() -> int:
    """Look at those that may have to take over and were not looked at for a while; says how many."""
    due = rollback_selectors.services_to_check(before=now() - CHECK_AFTER)[:AT_ONCE]
    for service in due:
        check(service)
    return len(due)


def check(service: Service) -> Readiness:
    """Look at the function that a rollback leads to, probe it if that is due, and record both."""
    color = Color(service.safe_color)
    before = Readiness.objects.filter(service=service, color=color).first()
    found = Readiness(
        service=service, color=color.value, checked_at=now(), problems=problems_now(service, color)
    )
    if before and before.probed_at and before.probed_at > now() - PROBE_AFTER and not before.probe_problem:
        found.probed_at = before.probed_at
    else:
        found.probed_at, found.probe_problem = now(), _probe(service, color)
    Readiness.objects.bulk_create(
        [found],
        update_conflicts=True,
        unique_fields=["service"],
        update_fields=["color", "checked_at", "problems", "probed_at", "probe_problem"],
    )
    if before is None or before.is_ready != found.is_ready:
        push.service_changed(service.pk)
    return found


def problems_now(service: Service, color: Color) -> list[str]:
    """What keeps a colour from serving everybody, in words."""
    try:
        found = cannot_serve(color, expectations.of_now(service), read_color(service, color))
    except AwsError as error:
        return [error.message]
    return [str(difference) for difference in found]


def _probe(service: Service, color: Color) -> str:
    name = service.green_function_name if color is Color.GREEN else service.blue_function_name
    try:
        return functions.probe(access(service, Purpose.WRITE), name)
    except AwsError as error:
        return error.message
