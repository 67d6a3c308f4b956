"""Who could approve at an earlier time, from what the trail tells of roles."""

from collections.abc import Iterable
from typing import NamedTuple


class Held(NamedTuple):
    """A role of a person or a group, and where it holds: on a service, in an environment, or else everywhere."""

    holder: str
    kind: str
    role: str
    service: str
    environment: str

    @property
    def place(self) -> str:
        """Where it holds, in words."""
        if self.service:
            return f"on {self.service}"
        return f"in {self.environment}" if self.environment else "everywhere"


class Told(NamedTuple):
    """An event: a role was given, or taken away."""

    is_given: bool
    held: Held


def held_after(told: Iterable[Told]) -> list[Held]:
    """What was held after these events, which are in the order of time; by holder."""
    held: set[Held] = set()
    for event in told:
        if event.is_given:
            held.add(event.held)
        else:
            held.discard(event.held)
    return sorted(held)
