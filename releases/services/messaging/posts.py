"""Sends a body to an address outside, and to no other: the only place from where an address of somebody's is called.

The name is resolved once, every address that it has is checked, and the connection goes to one of these, so that a name
that leads elsewhere a moment later is of no use (FAULTS P11). Redirects are answers like others, and no proxy is asked.
"""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException

from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from releases.domain.messaging.outgoing import Target, check_addresses, parse_target

# For connecting, and for each wait; and for all of it together.
PATIENCE_SECONDS = 5.0
LONGEST_SECONDS = 10.0


class PostFailed(Exception):
    """Nobody was reached, or what was answered is no yes."""


def post(address: str, body: bytes, *, headers: Mapping[str, str], ca_certs: str | None = None) -> None:
    """Post a body. Raises ``InvalidTarget`` where nothing may be sent to, and ``PostFailed``."""
    allow_loopback = settings.WEBHOOK_LOOPBACK
    target = parse_target(address, allow_loopback=allow_loopback)
    pinned = check_addresses(target, _resolve(target), allow_loopback=allow_loopback)
    connection = _connection(target, pinned, ca_certs)
    try:
        with _ended_in_time(connection):
            connection.request("POST", target.path, body=body, headers={**headers, "Host": _host(target)})
            answer = connection.getresponse()
    except (HTTPError, HTTPException, OSError, ValueError) as error:
        raise PostFailed(f"{target.host} was not reached: {error}") from error
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        raise PostFailed(f"{target.host} answered {answer.status}.")


def _resolve(target: Target) -> list[str]:
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise PostFailed(f"{target.host} could not be looked up: {error}") from error
    return [str(entry[4][0]) for entry in found]


def _connection(target: Target, pinned: str, ca_certs: str | None) -> HTTPConnection:
    """To the address that was checked; the certificate has to be the name's."""
    if target.scheme == "http":
        return HTTPConnection(pinned, target.port, timeout=PATIENCE_SECONDS)
    return HTTPSConnection(
        pinned,
        target.port,
        timeout=PATIENCE_SECONDS,
        server_hostname=target.host,
        assert_hostname=target.host,
        cert_reqs="CERT_REQUIRED",
        ca_certs=ca_certs,
    )


def _host(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.port in {80, 443} else f"{host}:{target.port}"


@contextmanager
def _ended_in_time(connection: HTTPConnection) -> Iterator[None]:
    """A server that answers a letter at a time is left, too."""
    timer = threading.Timer(LONGEST_SECONDS, _cut, [connection])
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut(connection: HTTPConnection) -> None:
    open_socket = connection.sock
    if open_socket is not None:
        open_socket.shutdown(socket.SHUT_RDWR)
