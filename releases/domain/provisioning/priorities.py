"""Priorities of listener rules: which numbers a service needs, who has them, and which are free.

A service's rules stand together: the header rule where there is one, the canary's slots, and last the traffic rule, so
that what is more particular is asked first. A rule with a smaller number is asked before one with a greater.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from releases.domain.errors import DomainError

LOWEST, HIGHEST = 1, 50_000
# Quotas of Elastic Load Balancing, the first of which nobody can have raised:
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
TARGET_GROUPS_PER_LOAD_BALANCER = 100
MOST_SERVICES = TARGET_GROUPS_PER_LOAD_BALANCER // 2


class NoPriority(DomainError):
    """No priority, or not this one, can be had on the listener."""


@dataclass(frozen=True, kw_only=True)
class HeldPriority:
    """A rule that is on the listener: `holder` says in words whose it is, `takes_all` whether it asks for nothing."""

    priority: int
    holder: str
    takes_all: bool = False


def numbers(priority: int, *, slots: int, has_header: bool = False) -> range:
    """The priorities of all rules of a service whose traffic rule has `priority`."""
    return range(priority - slots - has_header, priority + 1)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where a service's rules stand: the traffic rule has ``priority``, the others the numbers before it."""

    priority: int
    slots: int
    has_header: bool = False

    @property
    def by_rule(self) -> dict[str, int]:
        """The rules' priorities, by names for them alone."""
        slots = {f"slot {slot}": self.priority - slot for slot in range(1, self.slots + 1)}
        header = {"header": self.priority - self.slots - 1} if self.has_header else {}
        return {"traffic": self.priority, **slots, **header}

    @property
    def numbers(self) -> range:
        """All of them."""
        return numbers(self.priority, slots=self.slots, has_header=self.has_header)


def check_move(starts: Collection[Layout], wanted: Layout) -> None:
    """Raise NoPriority, with what to choose, where a rule would need a number that another of the service's has now.

    Rules are moved and made one by one, in no order, and a number that is held is refused. ``starts`` are the layouts
    that may be found, each rule's by itself.
    """
    places = [(rule, number) for start in starts for rule, number in start.by_rule.items()]
    in_the_way = {
        number
        for rule, number in places
        for other, needed in wanted.by_rule.items()
        if other != rule and needed == number
    }
    if in_the_way:
        now = [number for start in starts for number in start.numbers]
        raise NoPriority(
            "priority:own",
            f"The service's own rules have {_listed(in_the_way)} now, and each rule moves by itself: choose a priority "
            f"of {_beyond(min(now), max(now), wanted)}.",
        )


def _beyond(lowest: int, highest: int, wanted: Layout) -> str:
    """The priorities with which the wanted rules stand before, or after, all numbers that are held now."""
    size = len(wanted.numbers)
    choices = [
        f"at most {lowest - 1}" if lowest - size >= LOWEST else "",
        f"at least {highest + size}" if highest + size <= HIGHEST else "",
    ]
    return " or ".join(filter(None, choices))


def first_traffic_priority(*, slots: int, has_header: bool = False) -> int:
    """The smallest priority that the traffic rule can have, with room for the rules before it."""
    return LOWEST + slots + has_header


def held(wanted: range, rules: Sequence[HeldPriority]) -> tuple[HeldPriority, ...]:
    """The rules of others that have one of the wanted priorities."""
    return tuple(rule for rule in rules if rule.priority in wanted)


def shadows(wanted: range, rules: Sequence[HeldPriority]) -> tuple[HeldPriority, ...]:
    """The rules that are asked before the wanted ones and take every request: the service would never get one."""
    return tuple(rule for rule in rules if rule.takes_all and rule.priority < wanted.stop - 1)


def check(
    priority: int,
    rules: Sequence[HeldPriority],
    *,
    slots: int,
    has_header: bool = False,
    takes_all: bool = False,
) -> None:
    """Raise NoPriority, with who has it, unless a service can have this priority on the listener.

    `takes_all`: its traffic rule matches every request, so that no rule after it would get any.
    """
    least = first_traffic_priority(slots=slots, has_header=has_header)
    if not least <= priority <= HIGHEST:
        raise NoPriority(
            "priority:range",
            f"The priority is a whole number from {least} to {HIGHEST}: the canary's rules need the numbers before it.",
        )
    wanted = numbers(priority, slots=slots, has_header=has_header)
    if taken := held(wanted, rules):
        who = "; ".join(f"{rule.priority} is {rule.holder}" for rule in taken[:5])
        raise NoPriority(
            "priority:taken",
            f"The service needs {_span(wanted)}, and not all of them are free: {who}. Choose another priority.",
        )
    _check_order(wanted, rules, takes_all=takes_all)


def _check_order(wanted: range, rules: Sequence[HeldPriority], *, takes_all: bool) -> None:
    if before := shadows(wanted, rules):
        raise NoPriority(
            "priority:shadowed",
            f"No request would reach the service: {before[0].priority} is {before[0].holder}, which takes every "
            f"request. Choose a priority before {before[0].priority}.",
        )
    after = [rule for rule in rules if rule.priority >= wanted.stop]
    if takes_all and after:
        raise NoPriority(
            "priority:takes-all",
            f"Without hosts and paths the service would take every request, those of the rules after it too: "
            f"{after[0].priority} is {after[0].holder}. Give it hosts or paths, or a priority after all others.",
        )


def derive(
    taken: Collection[int], *, slots: int, has_header: bool = False, after_all_others: bool = False
) -> int:
    """The lowest priority for a traffic rule before which there is room for the service's other rules.

    `after_all_others` is for a service that takes every request: before others it would take theirs too.

    Raises NoPriority where there is no such gap.
    """
    least = first_traffic_priority(slots=slots, has_header=has_header)
    if after_all_others:
        least = max(least, max(taken, default=0) + least)
    occupied = frozenset(taken)
    for priority in range(least, HIGHEST + 1):
        if occupied.isdisjoint(numbers(priority, slots=slots, has_header=has_header)):
            return priority
    raise NoPriority("priority:none", "The listener has no room for the service's rules: use another one.")


@dataclass(frozen=True, kw_only=True)
class Room:
    """How full a load balancer is: each service needs two of its hundred target groups, whoever has the others."""

    target_groups: int

    @property
    def services(self) -> int:
        """So many services' worth of it is in use."""
        return -(-self.target_groups // 2)

    @property
    def is_full(self) -> bool:
        """Whether no further service fits."""
        return self.services >= MOST_SERVICES

    def __str__(self) -> str:
        return f"{self.services} of {MOST_SERVICES} services on this load balancer"


def _listed(found: Collection[int]) -> str:
    return ", ".join(map(str, sorted(found)))


def _span(wanted: range) -> str:
    joined = "and" if len(wanted) == 2 else "to"
    return (
        f"the priorities {wanted.start} {joined} {wanted.stop - 1}" if len(wanted) > 1 else str(wanted.start)
    )
