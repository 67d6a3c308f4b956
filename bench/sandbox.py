"""How many requests a second the sandbox's load balancer answers, following real rules to a real function."""

import http.client
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from time import perf_counter
from urllib.parse import urlsplit

from bench.demo import Demo
from bench.errors import CannotMeasure
from bench.figures import Figure, Goal

CLIENTS = 4
ROUNDS = 5
ROUND_SECONDS = 2.0


def measure(demo: Demo) -> Figure:
    """Clients that keep their connection, as an ALB's do; each answer is read and has to be a 200."""
    rounds = [requests_a_second(demo.sandbox.everyone_url, seconds=ROUND_SECONDS) for _ in range(ROUNDS)]
    return Figure(
        name="sandbox",
        value=median(rounds),
        unit="requests/s",
        samples=ROUNDS,
        goal=Goal(on="value", at_least=500),
    )


def requests_a_second(url: str, *, seconds: float) -> float:
    """The rate at which a few clients together are answered. Raises CannotMeasure at an answer that isn't 200."""
    with ThreadPoolExecutor(CLIENTS) as clients:
        began = perf_counter()
        counts = list(clients.map(_ask, [url] * CLIENTS, [began + seconds] * CLIENTS))
        return sum(counts) / (perf_counter() - began)


def _ask(url: str, until: float) -> int:
    """Ask again and again; gives how often."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=10)
    answered = 0
    while perf_counter() < until:
        connection.request("GET", address.path or "/")
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise CannotMeasure(f"{url} answered {answer.status}.")
        answered += 1
    connection.close()
    return answered
