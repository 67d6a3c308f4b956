"""Whether the function that a rollback leads to could serve everybody now, and that it stays so.

Lambda lets a function that nobody calls for weeks become ``Inactive``: one that may have to take over is probed now and
then, which keeps it awake, or wakes it.
"""

import logging
from datetime import datetime, timedelta

from aws import functions
from aws.accounts import Purpose
from aws.errors import AwsError
from releases import push
from releases.domain.observed.reality import cannot_serve
from releases.domain.traffic import Color
from releases.models import Readiness, Service
from releases.selectors import rollbacks as rollback_selectors
from releases.services.execution import expectations
from releases.services.execution.accounts import access
from releases.services.execution.realities import read_color
from releases.services.lifecycle import now

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


def check(service: Service, *, for_page: bool = False) -> Readiness:
    """Look at the function that a rollback leads to, probe it if that is due or a page wants it, and record both."""
    color = Color(service.safe_color)
    before = Readiness.objects.filter(service=service, color=color).first()
    found = Readiness(service=service, color=color.value, problems=problems_now(service, color))
    found.probed_at, found.probe_problem = _probed(service, color, before, for_page=for_page)
    found.checked_at = now()
    Readiness.objects.bulk_create(
        [found],
        update_conflicts=True,
        unique_fields=["service"],
        update_fields=["color", "checked_at", "problems", "probed_at", "probe_problem"],
    )
    if for_page or before is None or before.is_ready != found.is_ready:
        push.service_changed(service.pk)
    return found


def _probe_is_due(before: Readiness) -> bool:
    return before.probed_at is None or before.probed_at < now() - PROBE_AFTER or bool(before.probe_problem)


def problems_now(service: Service, color: Color) -> list[str]:
    """What keeps a colour from serving everybody, in words."""
    try:
        found = cannot_serve(color, expectations.of_now(service), read_color(service, color))
    except AwsError as error:
        return [error.message]
    return [str(difference) for difference in found]


def _probed(
    service: Service, color: Color, before: Readiness | None, *, for_page: bool
) -> tuple[datetime | None, str]:
    """The last probe: the one that was, or a new one where that is due or a page wants it."""
    if before and not (for_page or _probe_is_due(before)):
        return before.probed_at, ""
    name = service.green_function_name if color is Color.GREEN else service.blue_function_name
    try:
        problem = functions.probe(access(service, Purpose.WRITE), name)
    except AwsError as error:
        if before and for_page and error.code == "aws:refused":
            # The pages' process may have the button's role only: what a worker has seen counts.
            return before.probed_at, before.probe_problem
        problem = error.message
    return now(), problem
