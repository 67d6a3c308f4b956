"""The load balancer's process: four ports of loopback, routes from stdin, answers and counts.

It is a process of its own, because a Terraform run keeps moto's busy. Each line of stdin is a new set of routes
(`routing.dump_routes`), and a line on stdout says that they are in force; the end of stdin ends it, so that it
doesn't outlive the sandbox, however that died.
"""

import argparse
import asyncio
import itertools
import json
import random
import socket
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import uvicorn

from infra.sandbox.routing import Outcome, Request, RoutingTable, error_outcome, load_routes
from infra.sandbox.stickiness import read_cookie, write_cookie

PREFIX = "/-/sandbox/"
YOU = "127.0.0.9"
YOU_BY_IPV6 = "2001:db8::9"
_COUNTED = ("target_group", "function", "digest", "color", "status")

Send = Callable[[dict[str, Any]], Awaitable[None]]


class LoadBalancer:
    """An ASGI application that answers as the functions behind an ALB would."""

    def __init__(self, *, everyone_port: int, you_port: int, ipv6_port: int) -> None:
        self._table = RoutingTable([])
        self._counts: Counter[tuple[str | int, ...]] = Counter()
        everyone = itertools.cycle(f"127.0.1.{host}" for host in range(1, 255))
        self._played: dict[int, Iterator[str]] = {
            everyone_port: everyone,
            you_port: itertools.repeat(YOU),
            ipv6_port: itertools.repeat(YOU_BY_IPV6),
        }
        page = Path(__file__).with_name("page.html").read_text()
        self._page = page.replace("EVERYONE_PORT", str(everyone_port)).replace("YOU_PORT", str(you_port))

    def set_routes(self, line: bytes) -> None:
        """Follow these routes from now on."""
        self._table = RoutingTable(load_routes(line))

    async def __call__(self, scope: dict[str, Any], receive: object, send: Send) -> None:
        """Answer one request."""
        path = scope["raw_path"].decode("latin-1")
        await _answer(send, self._own_page(path) if path.startswith(PREFIX) else self._route(scope, path))

    def _own_page(self, path: str) -> Outcome:
        if path == PREFIX:
            return Outcome(status=200, content_type="text/html; charset=utf-8", body=self._page)
        if path == PREFIX + "counts":
            counts = [dict(zip(_COUNTED, key, strict=True)) | {"count": n} for key, n in self._counts.items()]
            return Outcome(status=200, content_type="application/json", body=json.dumps(counts))
        return error_outcome(404)

    def _route(self, scope: dict[str, Any], path: str) -> Outcome:
        headers = _headers(scope)
        request = Request(
            host=_host(headers),
            path=path,
            address=self._address(scope),
            headers=headers,
            sticky_group=read_cookie(headers.get("cookie", ()), now=time.time()),
        )
        outcome = self._table.choose(request, random.random)
        self._counts[tuple(getattr(outcome, name) for name in _COUNTED)] += 1
        return outcome

    def _address(self, scope: dict[str, Any]) -> str:
        played = self._played.get(scope["server"][1])
        return next(played) if played else str(scope["client"][0])


def _headers(scope: dict[str, Any]) -> dict[str, list[str]]:
    headers: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in scope["headers"]:
        headers[name.decode("latin-1").lower()].append(value.decode("latin-1"))
    return dict(headers)


def _host(headers: Mapping[str, Sequence[str]]) -> str:
    """Return the Host header without its port, as ALB compares it."""
    return headers.get("host", [""])[0].partition(":")[0]


async def _answer(send: Send, outcome: Outcome) -> None:
    body = outcome.body.encode()
    headers = {
        "content-type": outcome.content_type,
        "content-length": str(len(body)),
        "server": "awselb/2.0",
        # The page with the buttons asks the other two ports.
        "access-control-allow-origin": "*",
        "cache-control": "no-store",
    }
    if outcome.digest:
        headers |= {"x-version-digest": outcome.digest, "x-color": outcome.color}
    if outcome.sticky_seconds:
        headers["set-cookie"] = write_cookie(
            outcome.target_group, seconds=outcome.sticky_seconds, now=time.time()
        )
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": outcome.status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


async def _follow(balancer: LoadBalancer, server: uvicorn.Server) -> None:
    reader = asyncio.StreamReader(limit=2**24)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer
    )
    try:
        while line := await reader.readline():
            balancer.set_routes(line)
            print("taken", flush=True)
    finally:
        server.should_exit = True


async def _serve(sockets: list[socket.socket]) -> None:
    _, everyone, you, ipv6 = (s.getsockname()[1] for s in sockets)
    balancer = LoadBalancer(everyone_port=everyone, you_port=you, ipv6_port=ipv6)
    config = uvicorn.Config(
        balancer,
        lifespan="off",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    following = asyncio.create_task(_follow(balancer, server))
    await server.serve(sockets)
    if following.done():
        following.result()  # raises what ended it, if it wasn't the end of stdin


def main() -> None:
    """Serve the four sockets whose file descriptors are given: own address, everyone, you, you by IPv6."""
    parser = argparse.ArgumentParser()
    parser.add_argument("descriptors", type=int, nargs=4)
    sockets = [socket.socket(fileno=descriptor) for descriptor in parser.parse_args().descriptors]
    asyncio.run(_serve(sockets))


if __name__ == "__main__":
    main()
