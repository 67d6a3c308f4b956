"""What a service in the sandbox does: which versions answer whom, and what its rules say."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlsplit

from infra.sandbox.info import SandboxInfo
from infra.sandbox.tests.service import client

# At 10 % for one colour, that it isn't among so many answers has a probability of 7e-10.
EVERYONE_REQUESTS = 200
TESTER_REQUESTS = 20


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A listener rule; weights by the target groups' names."""

    arn: str
    weights: Mapping[str, int]
    addresses: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Observation:
    """The tags of the images that answered, and both rules."""

    everyone: frozenset[str]
    you: frozenset[str]
    whitelisted_address: frozenset[str]
    traffic: Rule
    canary: Rule


def observe(info: SandboxInfo, *, priority: int) -> Observation:
    """Send requests as everyone, as you, and from 127.0.0.9; and read the rules at `priority` and before it."""
    rules = _rules(info)
    return Observation(
        everyone=_answering(info, info.everyone_url, EVERYONE_REQUESTS),
        you=_answering(info, info.you_url, TESTER_REQUESTS),
        whitelisted_address=_answering(info, info.url, TESTER_REQUESTS, source="127.0.0.9"),
        traffic=rules[str(priority)],
        canary=rules[str(priority - 1)],
    )


@contextmanager
def watching_everyone(info: SandboxInfo) -> Iterator[set[str]]:
    """Yield a set that fills with what answers everyone until the context ends."""
    seen: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            seen.update(_answering(info, info.everyone_url, 1))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _answering(info: SandboxInfo, url: str, requests: int, *, source: str = "127.0.0.1") -> frozenset[str]:
    """Return the tags that answered; a failure is in it by its status."""
    address = urlsplit(url)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=10, source_address=(source, 0))
    tags = {reference.partition("@")[2]: tag for tag, reference in info.images.items()}
    answers = set()
    for _ in range(requests):
        connection.request("GET", "/")
        response = connection.getresponse()
        body = response.read()
        answers.add(tags[json.loads(body)["digest"]] if response.status == 200 else str(response.status))
    connection.close()
    return frozenset(answers)


def _rules(info: SandboxInfo) -> dict[str, Rule]:
    elbv2 = client(info, "elbv2")
    names = {
        group["TargetGroupArn"]: group["TargetGroupName"]
        for group in elbv2.describe_target_groups()["TargetGroups"]
    }
    return {
        rule["Priority"]: Rule(
            arn=rule["RuleArn"],
            weights={
                names[group["TargetGroupArn"]]: group["Weight"]
                for action in rule["Actions"]
                for group in action["ForwardConfig"]["TargetGroups"]
            },
            addresses=frozenset(
                address
                for condition in rule["Conditions"]
                for address in condition.get("SourceIpConfig", {}).get("Values", [])
            ),
        )
        for rule in elbv2.describe_rules(ListenerArn=info.listener_arn)["Rules"]
        if not rule["IsDefault"]
    }
