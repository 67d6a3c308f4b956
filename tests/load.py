"""Constant load on a service of the sandbox, and what each of its answers should have been.

The clients send at least 20 requests a second between them without a pause, while one more thread reads the rules and
aliases through the API. An answer is wrong when

- it failed, or
- its version is none that the rules led that client to between its sending and its receipt, give or take 100 ms, or
- its version is none that the client was meant to meet in the phase: the rules of a rotation in one unordered apply
  lead everyone to the version before the last, and that answer is a 200 like any other, or
- it is another one than this person's answer before, though the cookie was to keep whoever has one.
"""

import itertools
import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from infra.sandbox.info import SandboxInfo
from tests.clients import EVERYONE, YOU, Client, usual_clients
from tests.readings import Led, Reader, Reading, Target

TOLERANCE_SECONDS = 0.1
REQUESTS_PER_SECOND = 50


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one request of a client's n-th person got; times are of the monotonic clock."""

    client: Client
    person: int
    sent: float
    received: float
    status: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Which versions (digests) each audience is meant to meet from a moment on."""

    began: float
    digests: Mapping[str, frozenset[str]]


@dataclass
class Load:
    """Used as a context manager around the life of a service; :meth:`phase` says what is meant to come next.

    ``host`` is the name that the service is asked for by, where it has one; ``others`` ask beside the usual clients.
    """

    sandbox: SandboxInfo
    target: Target
    host: str = ""
    others: Sequence[Client] = ()
    answers: list[Answer] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        clients = [*usual_clients(self.sandbox), *self.others]
        self._pause = len(clients) / REQUESTS_PER_SECOND
        self._threads = [threading.Thread(target=self._send, args=(client,)) for client in clients]
        self._threads.append(threading.Thread(target=self._read, args=(clients,)))
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
        digests = {EVERYONE: frozenset(everyone), YOU: frozenset(you)}
        began = time.monotonic() if self.phases else float("-inf")
        self.phases.append(Phase(began=began, digests=digests))

    def last_from(self, digest: str) -> float:
        """When a version has answered anybody for the last time so far."""
        return max(answer.received for answer in list(self.answers) if answer.digest == digest)

    def met_by(self, name: str) -> set[str]:
        """The versions (digests) that a client has met so far."""
        return {answer.digest for answer in list(self.answers) if answer.client.name == name}

    def wrong_answers(self) -> list[str]:
        """Every answer that failed or came from a version that it should not have, in words."""
        last: dict[tuple[str, int], Answer] = {}
        wrong = []
        for answer in self.answers:
            asking = (answer.client.name, answer.person)
            if reason := self._wrong(answer, last.get(asking)):
                wrong.append(f"{answer}: {reason}")
            last[asking] = answer
        return wrong

    def _wrong(self, answer: Answer, before: Answer | None) -> str:
        if answer.status != 200:
            return "failed"
        led = self._led(answer.client, answer.sent, answer.received)
        if not any(answer.digest in one.digests for one in led):
            return "no rule led there"
        if answer.digest not in self._meant(answer):
            return "nobody was meant to be led there"
        if before and answer.digest != before.digest and self._is_kept(before, answer):
            return f"the cookie was to keep it at {before.digest}"
        return ""

    def _is_kept(self, before: Answer, answer: Answer) -> bool:
        """Whether somebody with cookies was led by a sticky rule from one answer to the next."""
        led = self._led(answer.client, before.sent, answer.received)
        return answer.client.people > 0 and all(one.is_sticky for one in led)

    def _led(self, client: Client, since: float, until: float) -> list[Led]:
        """A reading holds for the time until the next one: what was in between is in one of the two."""
        first = bisect_left(self.readings, since - TOLERANCE_SECONDS, key=lambda one: one.ended)
        after = bisect_right(self.readings, until + TOLERANCE_SECONDS, key=lambda one: one.began)
        return [one.led[client.name] for one in self.readings[max(0, first - 1) : after + 1]]

    def _meant(self, answer: Answer) -> frozenset[str]:
        """An answer on its way while a phase began may belong to either."""
        ends = [*(phase.began for phase in self.phases[1:]), float("inf")]
        return frozenset().union(
            *(
                phase.digests[answer.client.audience]
                for phase, end in zip(self.phases, ends, strict=True)
                if phase.began <= answer.received and end >= answer.sent - TOLERANCE_SECONDS
            )
        )

    def _send(self, client: Client) -> None:
        for person, opener in itertools.cycle(enumerate(client.openers())):
            sent = time.monotonic()
            status, digest = client.ask(opener, self.host)
            received = time.monotonic()
            self.answers.append(
                Answer(
                    client=client, person=person, sent=sent, received=received, status=status, digest=digest
                )
            )
            if self._stop.wait(max(0.0, self._pause - (received - sent))):
                return

    def _read(self, clients: Sequence[Client]) -> None:
        reader = Reader(self.sandbox, self.target, clients)
        while not self._stop.is_set():
            self.readings.append(reader.read())
