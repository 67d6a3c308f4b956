"""A reader of server-sent events, as a browser's EventSource is one."""

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

# More than the five seconds after which a stream has to be closed; nothing waits so long unless it fails.
PATIENCE_SECONDS = 15


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event; ``id`` is empty where it has none."""

    name: str
    data: str
    id: str


class EventSource:
    """The events of one open stream."""

    def __init__(self, response: HTTPResponse) -> None:
        self.response = response

    def __iter__(self) -> Iterator[Event]:
        """Ends with the stream."""
        fields: list[tuple[str, str]] = []
        for raw in self.response:
            line = raw.decode().rstrip("\n")
            if line:
                name, _, value = line.partition(": ")
                fields.append((name, value))
                continue
            event = _event(fields)
            fields = []
            if event.name:
                yield event

    def next(self, *names: str) -> Event:
        """The next event with one of these names; the others are passed over."""
        return next(event for event in self if event.name in names)


def _event(fields: list[tuple[str, str]]) -> Event:
    values: dict[str, Any] = dict(fields)
    data = "\n".join(value for name, value in fields if name == "data")
    return Event(name=values.get("event", ""), data=data, id=values.get("id", ""))


@contextmanager
def event_source(url: str, session: str, **headers: str) -> Iterator[EventSource]:
    """Opens a stream as whoever is signed in. Raises ``urllib.error.HTTPError`` where it is refused."""
    request = urllib.request.Request(url, headers={"Cookie": f"sessionid={session}", **headers})
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:
        yield EventSource(response)
