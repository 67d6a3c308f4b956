"""How the load balancer chooses: rules by priority, and one of a rule's outcomes by weight. Pure.

Follows https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from ipaddress import ip_address, ip_network


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a request gets: a function's answer through a target group, a fixed answer, or an error.

    Where its rule is sticky, the client stays with this target group for `sticky_seconds` after the answer.
    """

    weight: int = 1
    status: int
    content_type: str
    body: str
    target_group: str = ""
    function: str = ""
    digest: str = ""
    color: str = ""
    sticky_seconds: int = 0


def error_outcome(status: int, *, target_group: str = "", weight: int = 1) -> Outcome:
    """Return an error of the load balancer itself, as a page like ALB's."""
    title = f"{status} {HTTPStatus(status).phrase}"
    return Outcome(
        weight=weight,
        status=status,
        content_type="text/html",
        body=f"<html>\n<head><title>{title}</title></head>\n<body><h1>{title}</h1></body>\n</html>\n",
        target_group=target_group,
    )


@dataclass(frozen=True, kw_only=True)
class Header:
    """A condition on one header: its name, and the values of which it must have one."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Route:
    """A rule: every condition that isn't empty has to match, then one outcome is drawn by weight."""

    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    source_ips: tuple[str, ...] = ()
    headers: tuple[Header, ...] = ()
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the conditions look at; `address` is the one that connects, never X-Forwarded-For.

    `headers` has each header's values in their order, by its name in small letters. `sticky_group` is the target
    group that the client's cookie holds it to, "" without one.
    """

    host: str
    path: str
    address: str
    headers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sticky_group: str = ""


def dump_routes(routes: Iterable[Route]) -> str:
    """Return the routes, in order of priority, as one line of JSON."""
    return json.dumps([asdict(route) for route in routes])


def load_routes(line: str | bytes) -> list[Route]:
    """Return the routes that `dump_routes` wrote."""
    return [
        Route(
            hosts=tuple(fields["hosts"]),
            paths=tuple(fields["paths"]),
            source_ips=tuple(fields["source_ips"]),
            headers=tuple(Header(name=h["name"], values=tuple(h["values"])) for h in fields["headers"]),
            outcomes=tuple(Outcome(**outcome) for outcome in fields["outcomes"]),
        )
        for fields in json.loads(line)
    ]


class RoutingTable:
    """Routes made ready to be asked often: patterns compiled, networks parsed."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._entries = [(_matcher(route), route.outcomes) for route in routes]

    def choose(self, request: Request, draw: Callable[[], float]) -> Outcome:
        """Return the outcome for a request; `draw` gives 0 <= x < 1. A 503 if nothing matches."""
        for matches, outcomes in self._entries:
            if matches(request):
                return _held(outcomes, request.sticky_group) or _by_weight(outcomes, draw)
        return error_outcome(503)


def _held(outcomes: Sequence[Outcome], group: str) -> Outcome | None:
    """Where a rule is sticky, the cookie decides before the weights, a weight of 0 included."""
    return next((one for one in outcomes if one.sticky_seconds and one.target_group == group), None)


def _by_weight(outcomes: Sequence[Outcome], draw: Callable[[], float]) -> Outcome:
    """Draw one; weight 0 is never drawn, and where all have it (AWS doesn't say) it is a 503."""
    point = draw() * sum(outcome.weight for outcome in outcomes)
    for outcome in outcomes:
        point -= outcome.weight
        if point < 0:
            return outcome
    return error_outcome(503)


def _matcher(route: Route) -> Callable[[Request], bool]:
    host = _wildcards(route.hosts, re.IGNORECASE)
    path = _wildcards(route.paths)
    networks = [ip_network(cidr, strict=False) for cidr in route.source_ips]
    headers = [(header.name.lower(), _wildcards(header.values, re.IGNORECASE)) for header in route.headers]

    def matches(request: Request) -> bool:
        return (
            host(request.host) is not None
            and path(request.path) is not None
            and (not networks or any(ip_address(request.address) in network for network in networks))
            and all(any(map(value, request.headers.get(name, ()))) for name, value in headers)
        )

    return matches


def _wildcards(patterns: Sequence[str], flags: int = 0) -> Callable[[str], re.Match[str] | None]:
    """Compile ALB patterns: `*` is any characters, `?` exactly one; no pattern at all matches anything."""
    alternatives = (re.escape(p).replace(r"\*", ".*").replace(r"\?", ".") for p in patterns or ("*",))
    return re.compile("|".join(alternatives), flags | re.DOTALL).fullmatch
