"""Whom the canary's rules send, whether the reader is among them, and how to look at the new version."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path

from django.conf import settings

from infra.sandbox.info import SandboxInfo, read_info
from releases.domain.canary import internal, lay_out, room_in_rule
from releases.domain.traffic import NOBODY
from releases.models import Release, Service


@dataclass(frozen=True, kw_only=True)
class CanaryRuleShown:
    """One of the canary's rules: whom it sends while the canary is on. An address rule without any is nobody's."""

    priority: int
    addresses: tuple[str, ...] = ()
    header: str = ""


def canary_rules(service: Service) -> tuple[CanaryRuleShown, ...]:
    """In the order in which they are asked, laid out as they are now, or as the next release begins with them."""
    addresses = service.active_canary_addresses if service.activate_canary else service.canary_addresses
    room = room_in_rule(service.hostnames, service.paths)
    slots = lay_out(addresses, slots=service.canary_slots, room=room)
    rules = [
        CanaryRuleShown(
            priority=service.priority - position,
            addresses=tuple(address for address in sent if address != NOBODY),
        )
        for position, sent in enumerate(slots, start=1)
    ]
    if service.canary_header_name:
        rules.append(CanaryRuleShown(priority=rules[-1].priority - 1, header=service.canary_header_name))
    return tuple(reversed(rules))


@dataclass(frozen=True, kw_only=True)
class CanaryShown:
    """``address`` is where the reader's requests to this site come from; ``command`` asks as the canary.

    ``header`` is the name of the header by which requests are the canary; its value is told to nobody. ``warning``: why
    some of the addresses are of no use.
    """

    address: str
    is_inside: bool
    is_on: bool
    addresses: tuple[str, ...]
    warning: str
    header: str
    command: str
    sandbox_page: str


def canary_of(service: Service, release: Release, address: str) -> CanaryShown:
    """The canary of a release, for a reader with this address: whom it sends now, or will send when it is on."""
    is_on = service.activate_canary
    addresses = tuple(service.active_canary_addresses if is_on else release.canary_addresses)
    sandbox = _sandbox()
    return CanaryShown(
        address=address,
        is_inside=_is_inside(address, addresses),
        is_on=is_on,
        addresses=addresses,
        warning=warning_of(service, addresses),
        header=service.canary_header_name,
        command=_command(service, addresses, sandbox),
        sandbox_page=f"{sandbox.url}/-/sandbox/" if sandbox else "",
    )


def warning_of(service: Service, addresses: Sequence[str]) -> str:
    """Why some of the addresses will send nobody to the canary; empty where they may, or where that is not known."""
    private = internal(addresses) if service.internet_facing else ()
    if not private:
        return ""
    what = (
        f"{private[0]} is a private address"
        if len(private) == 1
        else f"{', '.join(private)} are private addresses"
    )
    return (
        f"{what}, and this load balancer is on the internet: what it sees is the public address that a client comes "
        "from. Write that one, or nobody is known by it."
    )


def _is_inside(address: str, networks: Sequence[str]) -> bool:
    try:
        asking = ip_address(address)
    except ValueError:
        return False
    return any(asking in ip_network(network, strict=False) for network in networks)


def _command(service: Service, addresses: Sequence[str], sandbox: SandboxInfo | None) -> str:
    """In the sandbox all addresses are this machine's own; elsewhere one has to be at one of them."""
    if sandbox is not None and addresses:
        return f"curl --interface {addresses[0].partition('/')[0]} {sandbox.url}"
    host = service.hostnames[0] if service.hostnames else "YOUR-LOAD-BALANCER"
    if service.canary_header_name and not addresses:
        return f"curl -H '{service.canary_header_name}: THE-SECRET-VALUE' https://{host}/"
    return f"curl https://{host}/"


def _sandbox() -> SandboxInfo | None:
    if settings.SANDBOX_FILE is None:
        return None
    try:
        return read_info(Path(settings.SANDBOX_FILE))
    except FileNotFoundError:
        return None
