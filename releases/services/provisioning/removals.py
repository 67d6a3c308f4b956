"""Removing a service: a plan that destroys what is its own and nothing else, when nobody asks for it any more.

A service's traffic rule always forwards somewhere, so it never has no weight. That nobody uses it is either counted (no
request has reached it for a stated time), or somebody gives the requests up knowingly.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User

from aws import functions, listeners, load_balancer, metrics
from aws.errors import AwsError
from releases.domain.errors import DomainError
from releases.domain.provisioning.managing import may_remove
from releases.domain.traffic import Color, Transition
from releases.models import Service, Step
from releases.services import rollout
from releases.services.errors import StepFailed
from releases.services.execution.accounts import access
from releases.services.lifecycle import locked, now, person, record
from releases.services.provisioning.managed import begin_step, refuse_unless

_GONE = frozenset({"aws:rule-missing", "aws:target-group-missing", "aws:function-missing"})


class RemovalRefused(DomainError):
    """The removal was not asked for in the way that it needs; the code says which field is meant."""


@dataclass(frozen=True, kw_only=True)
class Quiet:
    """How many requests have reached a service in the last ``hours``; None where nobody knows, and why not."""

    hours: int
    requests: int | None
    problem: str = ""

    @property
    def is_quiet(self) -> bool:
        """Whether it is known that nobody uses the service."""
        return self.requests == 0

    def __str__(self) -> str:
        if self.requests is None:
            why = self.problem or "CloudWatch has counted nothing at all for this load balancer."
            return f"Whether anybody has used it in the last {self.hours} hours is not known: {why}"
        if self.requests == 0:
            return f"No request has reached it in the last {self.hours} hours."
        return f"{self.requests} requests have reached it in the last {self.hours} hours."


def read_quiet(service: Service) -> Quiet:
    """Whether anybody uses the service, by what CloudWatch has counted; does not raise where it can't be read."""
    hours, moment = settings.REMOVAL_QUIET_HOURS, now()
    groups = [service.target_group_arn(color) for color in Color]
    try:
        reach = access(service)
        listener = listeners.read_listener(reach, service.listener_arn)
        requests = metrics.count_requests(
            reach,
            groups,
            load_balancer_arn=listener.load_balancer_arn,
            since=moment - timedelta(hours=hours),
            until=moment,
        )
    except AwsError as error:
        return Quiet(hours=hours, requests=None, problem=error.message)
    return Quiet(hours=hours, requests=requests)


def request_removal(
    *, service_id: UUID, user: User, typed_name: str, reason: str, gives_up_requests: bool
) -> Step:
    """Ask for a service's removal, whose plan needs an approval.

    Raises ``NotAllowed``, ``ManagingRefused`` and ``RemovalRefused``.
    """
    service = Service.objects.get(pk=service_id)
    refuse_unless(may_remove, user, service)
    _refuse_unsaid(service, typed_name, reason)
    if not gives_up_requests:
        _refuse_used(service)
    with locked(service_id) as service:
        refuse_unless(may_remove, user, service)
        step = begin_step(
            service, Transition.REMOVE, user=user, reason=reason, gives_up_requests=gives_up_requests
        )
        actor = person(user)
        after = {"gives_up_requests": gives_up_requests}
        record(service, step, actor=actor, action="removal.requested", after=after, reason=reason)
        rollout.advance(service, actor=actor)
    return step


def refuse_in_use(step: Step) -> None:
    """Right before the apply: raises ``StepFailed`` if somebody uses a service that was said to be unused."""
    if step.gives_up_requests or step.service.set_up_at is None:
        return
    quiet = read_quiet(step.service)
    if not quiet.is_quiet:
        raise StepFailed("removal:in-use", f"Nothing was destroyed. {quiet}")


def what_is_left(service: Service) -> tuple[str, ...]:
    """What of a service is still at AWS; a service whose set-up did not end has no addresses to ask for."""
    return tuple(what for what, read in _parts(service) if not _is_gone(read))


def _parts(service: Service) -> Iterator[tuple[str, Callable[[], object]]]:
    reach = access(service)
    for arn in service.rule_arns.values():
        if arn:
            yield f"the rule {arn}", partial(load_balancer.read_rules, reach, [arn])
    for color in Color:
        if arn := service.target_group_arn(color):
            yield f"the target group {arn}", partial(load_balancer.registered_targets, reach, arn)
        if name := getattr(service, f"{color}_function_name"):
            yield f"the function {name}", partial(functions.check_function, reach, name)


def _is_gone(read: Callable[[], object]) -> bool:
    try:
        read()
    except AwsError as error:
        if error.code in _GONE:
            return True
        raise
    return False


def _refuse_unsaid(service: Service, typed_name: str, reason: str) -> None:
    if typed_name != service.name:
        raise RemovalRefused("removal:name", f"Type the service's name exactly: {service.name}.")
    if not reason.strip():
        raise RemovalRefused("removal:reason", "Say why: a removal needs a reason.")


def _refuse_used(service: Service) -> None:
    quiet = read_quiet(service)
    if service.set_up_at is not None and not quiet.is_quiet:
        raise RemovalRefused(
            "removal:in-use", f"{quiet} Wait until nobody asks for it, or give its requests up knowingly."
        )
