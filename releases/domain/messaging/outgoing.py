"""Where messages may be sent to: nowhere inside (FAULTS P11). The names are resolved elsewhere; here are the rules."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from releases.domain.errors import DomainError

LONGEST_ADDRESS = 500

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class InvalidTarget(DomainError):
    """An address that nothing is sent to."""

    def __init__(self, message: str) -> None:
        super().__init__("webhook:target", message)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A webhook's address in its parts; `path` has the query too."""

    scheme: str
    host: str
    port: int
    path: str


def parse_target(text: str, *, allow_loopback: bool = False) -> Target:
    """A webhook's address; raises InvalidTarget. `allow_loopback` is for the sandbox, which speaks HTTP here."""
    if (
        len(text) > LONGEST_ADDRESS
        or not (text.isascii() and text.isprintable())
        or " " in text
        or "\\" in text
    ):
        raise InvalidTarget(f"Write an address in plain letters, at most {LONGEST_ADDRESS} characters.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise InvalidTarget("This is no address: it begins with https:// and names a host.") from error
    if parts.scheme != "https" and not (allow_loopback and parts.scheme == "http"):
        raise InvalidTarget("Only https:// addresses are sent to.")
    if parts.username is not None or parts.password is not None:
        raise InvalidTarget("An address with a name or a password in it is not sent to.")
    if not parts.hostname:
        raise InvalidTarget("The address names no host.")
    path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    usual = 443 if parts.scheme == "https" else 80
    target = Target(scheme=parts.scheme, host=parts.hostname, port=port or usual, path=path)
    if _is_number(target.host):
        check_addresses(target, [target.host], allow_loopback=allow_loopback)
    return target


def check_addresses(target: Target, addresses: list[str], *, allow_loopback: bool = False) -> str:
    """The one of a host's addresses to connect to, once all are known to be outside; raises InvalidTarget."""
    found = [ipaddress.ip_address(address.partition("%")[0]) for address in addresses]
    if not found:
        raise InvalidTarget(f"{target.host} has no address.")
    is_local = allow_loopback and all(address.is_loopback for address in found)
    if target.scheme == "http" and not is_local:
        raise InvalidTarget("Over http:// only the sandbox on this machine is sent to.")
    if not is_local and not all(_is_outside(one) for address in found for one in _meant(address)):
        raise InvalidTarget(f"{target.host} leads to an address inside a network: nothing is sent there.")
    return str(found[0])


def _is_number(host: str) -> bool:
    """Whether a host is an address itself: then nothing has to be looked up to know where it leads."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _meant(address: IpAddress) -> Iterator[IpAddress]:
    """The address, and the IPv4 address that it carries inside, by whichever of the ways there are."""
    if not isinstance(address, ipaddress.IPv6Address):
        yield address
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
        return
    if address in _NAT64:
        yield ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        return
    yield address
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo


def _is_outside(address: IpAddress) -> bool:
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified or address.is_link_local
    )
