"""Brings all users to a service's safe colour by the load balancer's rules, and says what has come of it.

It needs no database: what it is told is all that it knows (:class:`SafeTraffic`).
"""

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Self, TypeVar

from aws import load_balancer
from aws.accounts import Purpose
from aws.errors import AwsError
from aws.session import Access
from releases.domain.traffic import NOBODY, Color
from releases.models import Service
from releases.services.execution.accounts import access

logger = logging.getLogger(__name__)

# Who presses is told by then, whatever AWS does; what was asked for goes on beside it.
PATIENCE_SECONDS = 4.0
NOT_READ_BACK = "AWS reads back other weights than were set: Bluegreen sets them again."

_Answer = TypeVar("_Answer")
_threads = ThreadPoolExecutor(max_workers=32, thread_name_prefix="safe-traffic")


@dataclass(frozen=True, kw_only=True)
class SafeTraffic:
    """Which rules are to send everybody to which target group. ``rule_arns`` begins with the traffic rule's."""

    service: str
    region: str
    account_id: str
    safe_color: str
    rule_arns: tuple[str, ...]
    safe_group_arn: str
    other_group_arn: str

    @classmethod
    def of(cls, service: Service, color: Color | None = None) -> Self:
        """That of a service that is set up, to this colour or to its safe one."""
        safe = color or Color(service.safe_color)
        return cls(
            service=service.name,
            region=service.region,
            account_id=service.account_id,
            safe_color=safe.value,
            rule_arns=tuple(service.rule_arns.values()),
            safe_group_arn=service.target_group_arn(safe),
            other_group_arn=service.target_group_arn(safe.other),
        )

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """The inverse of :meth:`to_json`; raises TypeError and KeyError where it is none."""
        return cls(**{**document, "rule_arns": tuple(document["rule_arns"])})

    def to_json(self) -> dict[str, Any]:
        """As it is kept in files."""
        return {**asdict(self), "rule_arns": list(self.rule_arns)}

    @property
    def weights(self) -> dict[str, int]:
        """The weights of both target groups, by ARN."""
        return {self.safe_group_arn: 100, self.other_group_arn: 0}


def bring_back(wanted: SafeTraffic) -> str:
    """Set all rules and read them back; gives the problem in words, empty when all traffic is back."""
    try:
        return _in_time(_threads.submit(_set_and_read_back, wanted))
    except AwsError as error:
        return error.message


def problem_read_back(wanted: SafeTraffic) -> str:
    """Why it cannot be said that everybody is on the safe colour; empty where it was read."""
    try:
        return "" if is_back(wanted) else NOT_READ_BACK
    except AwsError as error:
        logger.exception("the rules of %s could not be read back", wanted.service)
        return str(error)


def is_back(wanted: SafeTraffic) -> bool:
    """Whether nobody is sent anywhere but to this colour, by weight or by an earlier visit. Raises ``AwsError``.

    A rule of the canary without addresses sends nobody.
    """
    return _in_time(_threads.submit(_is_back, wanted))


def _in_time(going: "Future[_Answer]") -> _Answer:
    try:
        return going.result(timeout=PATIENCE_SECONDS)
    except TimeoutError:
        raise AwsError(
            "aws:slow",
            f"AWS has not answered for {PATIENCE_SECONDS:g} s. Bluegreen goes on trying; try the command line too.",
        ) from None


def _is_back(wanted: SafeTraffic) -> bool:
    rules = load_balancer.read_rules(access(wanted, Purpose.EMERGENCY), list(wanted.rule_arns))
    traffic, *canary = (rules[arn] for arn in wanted.rule_arns)
    return (
        traffic.weights == wanted.weights
        and not traffic.stickiness_seconds
        and all(rule.weights == wanted.weights or rule.source_ips == {NOBODY} for rule in canary)
    )


def _set_and_read_back(wanted: SafeTraffic) -> str:
    """The users' rule first, then the canary's, of which there may be many, side by side.

    One that cannot be set does not keep the others from it, unless AWS does not answer at all.
    """
    traffic_rule, *canary = wanted.rule_arns
    set_rule = partial(_problem_setting, access(wanted, Purpose.EMERGENCY), wanted)
    problem = set_rule(traffic_rule)
    if problem is None or problem.code != "aws:unreachable":
        with ThreadPoolExecutor(max_workers=len(canary)) as side_by_side:
            problems = [problem, *side_by_side.map(set_rule, canary)]
        problem = next(filter(None, problems), None)
    if problem:
        return str(problem)
    return "" if _is_back(wanted) else NOT_READ_BACK


def _problem_setting(reach: Access, wanted: SafeTraffic, rule_arn: str) -> AwsError | None:
    try:
        load_balancer.set_weights(reach, rule_arn, wanted.weights)
    except AwsError as error:
        logger.exception("the rule %s could not be set", rule_arn)
        return error
    return None
