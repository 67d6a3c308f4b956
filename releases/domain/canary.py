"""Whom the canary sends to the candidate: addresses, checked and laid out over the rules, and a secret header."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import combinations

from releases.domain.errors import InvalidCanary
from releases.domain.provisioning.settings import MOST_VALUES_IN_A_CONDITION, MOST_VALUES_IN_A_RULE, Settings
from releases.domain.traffic import NOBODY

Network = IPv4Network | IPv6Network

# A canary is for a few known addresses; with these bounds no number of slots reaches everyone.
WIDEST_PREFIX = {4: 8, 6: 32}

_LONGEST_TEXT = 4_000
_EXAMPLES = "203.0.113.7, 2001:db8::7 or 203.0.113.0/24"
_INTERNAL = [
    *map(ip_network, ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"]),
    *map(ip_network, ["fc00::/7", "fe80::/10"]),
]
# RFC 9110, token; at most 40 characters, and the load balancer's wildcards only make sense in values.
_HEADER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}")
# Without the load balancer's wildcards (* and ?), and long enough that nobody guesses it though case does not count.
_HEADER_VALUE = re.compile(r"[A-Za-z0-9_.~+/=-]{16,128}")
HEADER_VALUE_SHAPE = "16 to 128 letters, digits and _.~+/=-"
# What clients, proxies or the load balancer set themselves; by "host" no header condition may ask.
_NOT_OURS = re.compile(r"host|cookie|authorization|x-forwarded-.*|x-amzn-.*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class CanaryHeader:
    """Requests with this header are the canary, for those whose addresses a proxy hides. The value is a secret."""

    name: str
    value: str = field(repr=False)

    def __post_init__(self) -> None:
        if not _HEADER_NAME.fullmatch(self.name) or _NOT_OURS.fullmatch(self.name):
            raise InvalidCanary(
                "canary:header-name",
                "The header's name is 1 to 40 letters, digits and hyphens, and none that others set, such as Host "
                "or X-Forwarded-For: write one of your own, such as X-Canary.",
            )
        if not _HEADER_VALUE.fullmatch(self.value):
            raise InvalidCanary(
                "canary:header-value",
                f"The header's value is a secret of {HEADER_VALUE_SHAPE}.",
            )


def header_of(settings: Settings, revealed: Mapping[str, str]) -> CanaryHeader | None:
    """The header in the clear, by what its stored value stands for; none where the settings have none."""
    if not settings.has_header:
        return None
    return CanaryHeader(name=settings.canary_header_name, value=revealed[settings.canary_header_value])


def parse_addresses(text: str) -> tuple[str, ...]:
    """The addresses in a text, separated by commas, spaces or lines, in their usual form: a single one as …/32.

    Raises InvalidCanary with a message for the form.
    """
    if len(text) > _LONGEST_TEXT:
        raise InvalidCanary("canary:too-many", "These are more addresses than any service has room for.")
    return check_addresses([part for part in re.split(r"[\s,]+", text) if part])


def check_addresses(texts: Sequence[str]) -> tuple[str, ...]:
    """The same for addresses that are separated already."""
    networks = [_network(text) for text in texts]
    for one, other in combinations(networks, 2):
        for inner, outer in ((one, other), (other, one)):
            if _is_inside(inner, outer):
                raise InvalidCanary("canary:twice", f"{inner} is in {outer} already: leave it out.")
    return tuple(map(str, networks))


def check_single(text: str) -> str:
    """One address, in its usual form; raises InvalidCanary for a network, as for what is no address."""
    (address,) = check_addresses([text.strip()])
    if ip_network(address).num_addresses > 1:
        raise InvalidCanary(
            "canary:network", f"{address} is a network: without an approval only a single address is added."
        )
    return address


def is_in(address: str, addresses: Collection[str]) -> bool:
    """Whether an address or network is in one of these already."""
    return any(_is_inside(ip_network(address), ip_network(other)) for other in addresses)


def internal(addresses: Sequence[str]) -> tuple[str, ...]:
    """Those that no client of a load balancer on the internet can have: what it sees is a public address."""
    return tuple(
        address for address in addresses if any(_is_inside(ip_network(address), wide) for wide in _INTERNAL)
    )


def room_in_rule(hostnames: Collection[str], paths: Collection[str]) -> int:
    """How many addresses one rule has room for beside a service's hosts and paths (without both: the path /*)."""
    others = len(set(hostnames)) + len(set(paths)) or 1
    return max(0, min(MOST_VALUES_IN_A_CONDITION, MOST_VALUES_IN_A_RULE - others))


def check_room(addresses: Sequence[str], *, slots: int, room: int) -> None:
    """Raise InvalidCanary if the slots have no room for so many addresses."""
    if len(addresses) > slots * room:
        rules = "1 rule" if slots == 1 else f"{slots} rules"
        raise InvalidCanary(
            "canary:too-many",
            f"These are {len(addresses)} addresses, and there is room for {slots * room}: {rules} with {room} each. "
            "Write a network in place of several addresses, or have the service's settings give it more canary slots.",
        )


def lay_out(addresses: Sequence[str], *, slots: int, room: int) -> tuple[tuple[str, ...], ...]:
    """The addresses of each slot's rule, as the module fills them: in order; a slot without any is nobody's."""
    return tuple(
        tuple(addresses[slot * room : (slot + 1) * room]) or (NOBODY,) for slot in range(max(1, slots))
    )


def _is_inside(network: Network, other: Network) -> bool:
    return network.version == other.version and network.subnet_of(other)  # type: ignore[arg-type]


def _network(text: str) -> Network:
    try:
        network = ip_network(text)
    except ValueError as error:
        raise _not_an_address(text) from error
    network = _as_ipv4(network)
    _refuse_senseless(text, network)
    return network


def _not_an_address(text: str) -> InvalidCanary:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return InvalidCanary(
            "canary:address", f"“{text[:60]}” is no address or network: write one such as {_EXAMPLES}."
        )
    return InvalidCanary(
        "canary:host-bits",
        f"“{text[:60]}” is neither one address nor a whole network: write {network} for the network, or "
        f"{text.partition('/')[0][:60]} for the one address.",
    )


def _as_ipv4(network: Network) -> Network:
    """A server that listens on both kinds tells an IPv4 address as one of ::ffff:0:0/96."""
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is None or network.prefixlen < 96:
        return network
    return IPv4Network((mapped, network.prefixlen - 96))


def _refuse_senseless(text: str, network: Network) -> None:
    if network.prefixlen == 0:
        raise InvalidCanary(
            "canary:everyone",
            f"{network} is everyone, and the canary is for a few known addresses: shift a share of the users instead.",
        )
    if network.prefixlen < WIDEST_PREFIX[network.version]:
        raise InvalidCanary(
            "canary:too-wide",
            f"{network} is too wide for a canary: at most a /{WIDEST_PREFIX[network.version]} is.",
        )
    if "%" in text or network.is_multicast or network.is_unspecified or str(network) == NOBODY:
        raise InvalidCanary(
            "canary:nobody", f"“{text[:60]}” is an address that no client has: write one such as {_EXAMPLES}."
        )
