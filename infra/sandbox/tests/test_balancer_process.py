"""The load balancer's process by itself, given routes by a test instead of a sandbox."""

import socket
from contextlib import ExitStack

import pytest
import requests

from infra.local.tests.waiting import wait_for
from infra.sandbox.balancer_process import running_balancer
from infra.sandbox.routing import Outcome, Route


@pytest.fixture
def sockets():
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(4)]


def answered(sockets) -> list[tuple[int, str]]:
    """Ask all four ports."""
    urls = [f"http://127.0.0.1:{listener.getsockname()[1]}/" for listener in sockets]
    responses = [requests.get(url, timeout=10) for url in urls]
    return [(response.status_code, response.text) for response in responses]


def route(body: str, **conditions) -> Route:
    return Route(outcomes=(Outcome(status=200, content_type="text/plain", body=body),), **conditions)


def test_four_ports_differ_in_the_address_that_a_request_counts_as_coming_from(sockets):
    with running_balancer(sockets) as balancer:
        balancer.follow(
            [
                route("own", source_ips=("127.0.0.1/32",)),
                route("everyone", source_ips=("127.0.1.0/24",)),
                route("you", source_ips=("127.0.0.9/32",)),
                route("ipv6", source_ips=("2001:db8::9/128",)),
            ]
        )
        assert answered(sockets) == [(200, "own"), (200, "everyone"), (200, "you"), (200, "ipv6")]


def test_newest_routes_are_in_force_when_follow_returns(sockets):
    with running_balancer(sockets) as balancer:
        for number in range(20):
            balancer.follow([route(str(number))])
            assert answered(sockets) == [(200, str(number))] * 4


def test_nothing_to_follow_is_a_503(sockets):
    with running_balancer(sockets) as balancer:
        balancer.follow([])
        assert [status for status, _ in answered(sockets)] == [503] * 4


def test_it_ends_by_itself_over_routes_that_it_cannot_read(sockets, capfd):
    with running_balancer(sockets) as balancer:
        balancer.follow([route("x", source_ips=("nonsense",))])
        wait_for(balancer.has_ended, "the load balancer to end")
    assert "'nonsense' does not appear to be" in capfd.readouterr().err
