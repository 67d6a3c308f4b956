"""Constant load on a service of the sandbox, and what each of its answers should have been.

Two clients send at least 20 requests a second between them without a pause, one as *everyone* and one as *you*, while a
third thread reads the rules and aliases through the API. An answer is wrong when

- it failed, or
- its version is none that the rules led that client to between its sending and its receipt, give or take 100 ms, or
- its version is none that the client was meant to meet in the phase: the rules of a rotation in one unordered apply
  lead everyone to the version before the last, and that answer is a 200 like any other.
"""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import boto3

from infra.sandbox.info import SandboxInfo

TOLERANCE_SECONDS = 0.1
PAUSE_SECONDS = 1 / 25
NOBODY = "192.0.2.1/32"


@dataclass(frozen=True, kw_only=True)
class Target:
    """The service under load, as the API names it."""

    traffic_rule_arn: str
    canary_rule_arn: str
    functions: Mapping[str, str]
    """Function names by target group ARN."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one request got; times are of the monotonic clock."""

    client: str
    sent: float
    received: float
    status: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The versions (digests) that the rules and aliases led each client to when they were read."""

    began: float
    ended: float
    digests: Mapping[str, frozenset[str]]


@dataclass
class Phase:
    """Which versions (digests) each client is meant to meet from a moment on."""

    began: float
    digests: Mapping[str, frozenset[str]]


@dataclass
class Load:
    """Used as a context manager around the life of a service; :meth:`phase` says what is meant to come next.

    ``host`` is the name that the service is asked for by, where it has one.
    """

    sandbox: SandboxInfo
    target: Target
    host: str = ""
    answers: list[Answer] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        urls = {"everyone": self.sandbox.everyone_url, "you": self.sandbox.you_url}
        self._threads = [
            threading.Thread(target=self._send, args=(client, url)) for client, url in urls.items()
        ]
        self._threads.append(threading.Thread(target=self._read))
        for thread in self._threads:
            thread.start()
        while not self.readings:
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        time.sleep(3 * TOLERANCE_SECONDS)
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def phase(self, *, everyone: set[str], you: set[str]) -> None:
        """From now on the clients are meant to meet these versions only; call it before the transition begins.

        The first phase counts from the beginning.
        """
        digests = {"everyone": frozenset(everyone), "you": frozenset(you)}
        began = time.monotonic() if self.phases else float("-inf")
        self.phases.append(Phase(began=began, digests=digests))

    def wrong_answers(self) -> list[str]:
        """Every answer that failed or came from a version that it should not have, in words."""
        return [f"{answer}: {reason}" for answer in self.answers if (reason := self._wrong(answer))]

    def _wrong(self, answer: Answer) -> str:
        if answer.status != 200:
            return "failed"
        if answer.digest not in self._ruled(answer):
            return "no rule led there"
        if answer.digest not in self._meant(answer):
            return "nobody was meant to be led there"
        return ""

    def _ruled(self, answer: Answer) -> frozenset[str]:
        """A reading holds for the time until the next one: what was in between is in one of the two."""
        first, last = answer.sent - TOLERANCE_SECONDS, answer.received + TOLERANCE_SECONDS
        during = [one for one in self.readings if one.ended >= first and one.began <= last]
        before = [one for one in self.readings if one.ended < first][-1:]
        after = [one for one in self.readings if one.began > last][:1]
        return frozenset().union(*(one.digests[answer.client] for one in (*before, *during, *after)))

    def _meant(self, answer: Answer) -> frozenset[str]:
        """An answer on its way while a phase began may belong to either."""
        ends = [*(phase.began for phase in self.phases[1:]), float("inf")]
        return frozenset().union(
            *(
                phase.digests[answer.client]
                for phase, end in zip(self.phases, ends, strict=True)
                if phase.began <= answer.received and end >= answer.sent - TOLERANCE_SECONDS
            )
        )

    def _send(self, client: str, url: str) -> None:
        while not self._stop.is_set():
            sent = time.monotonic()
            status, digest = _get(url, self.host)
            received = time.monotonic()
            self.answers.append(
                Answer(client=client, sent=sent, received=received, status=status, digest=digest)
            )
            self._stop.wait(max(0.0, PAUSE_SECONDS - (received - sent)))

    def _client(self, name: Any) -> Any:
        return boto3.client(
            name,
            region_name=self.sandbox.region,
            endpoint_url=self.sandbox.endpoint_url,
            aws_access_key_id=self.sandbox.access_key_id,
            aws_secret_access_key=self.sandbox.secret_access_key,
        )

    def _read(self) -> None:
        elbv2, functions = self._client("elbv2"), self._client("lambda")
        while not self._stop.is_set():
            began = time.monotonic()
            arns = [self.target.traffic_rule_arn, self.target.canary_rule_arn]
            rules = {rule["RuleArn"]: rule for rule in elbv2.describe_rules(RuleArns=arns)["Rules"]}
            digests = {
                group: _digest(functions.get_function(FunctionName=name, Qualifier="live"))
                for group, name in self.target.functions.items()
            }
            everyone = _led_to(rules[self.target.traffic_rule_arn], digests)
            canary = rules[self.target.canary_rule_arn]
            you = _led_to(canary, digests) if NOBODY not in _source_ips(canary) else everyone
            self.readings.append(
                Reading(began=began, ended=time.monotonic(), digests={"everyone": everyone, "you": you})
            )


def _get(url: str, host: str) -> tuple[int, str]:
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.load(response)["digest"]
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError:
        return 0, ""


def _digest(function: Mapping[str, Mapping[str, str]]) -> str:
    return function["Code"]["ResolvedImageUri"].partition("@")[2]


def _led_to(rule: Mapping[str, list[dict[str, Any]]], digests: Mapping[str, str]) -> frozenset[str]:
    groups = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
    return frozenset(digests[group["TargetGroupArn"]] for group in groups if group["Weight"] > 0)


def _source_ips(rule: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    return [
        address
        for condition in rule["Conditions"]
        if condition["Field"] == "source-ip"
        for address in condition["SourceIpConfig"]["Values"]
    ]
