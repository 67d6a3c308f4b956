"""Faults that are placed at AWS calls: the n-th call of a kind is held, delayed, or refused.

A crash is placed so: hold a call, wait until it is held, kill whoever waits for its answer, let it go on.
"""

import re
import threading
from dataclasses import asdict, dataclass
from typing import Any

ACTS = ("hold", "delay", "fail")
WHEN = ("before", "after")


@dataclass(kw_only=True, eq=False)
class Fault:
    """What happens to the ``nth`` call, counted from now, whose name the pattern ``call`` describes whole.

    And to those after it, ``times`` in all. ``before`` the call has any effect or ``after`` it, it is held until the
    faults are cleared, or delayed for so many ``seconds``; one that fails has no effect and answers 503, which AWS's
    clients try again. ``seen`` counts the calls that fit so far, ``held`` those that wait now.
    """

    call: str
    act: str
    nth: int = 1
    times: int = 1
    when: str = "before"
    seconds: float = 0.0
    seen: int = 0
    held: int = 0

    def __post_init__(self) -> None:
        if self.act not in ACTS or self.when not in WHEN or (self.act, self.when) == ("fail", "after"):
            raise ValueError(
                f"act is one of {', '.join(ACTS)}, when before or after; what fails does so before."
            )
        re.compile(self.call)

    def meets(self, call: str) -> bool:
        """Count the call if it fits; gives whether it is one of those that suffer."""
        fits = re.fullmatch(self.call, call) is not None
        self.seen += fits
        return fits and self.nth <= self.seen < self.nth + self.times


class Faults:
    """The faults that are placed now."""

    def __init__(self) -> None:
        self._placed: list[Fault] = []
        self._lock = threading.Lock()
        self._cleared = threading.Event()

    def place(self, **values: Any) -> None:
        """Place one more; raises ValueError, TypeError or re.error where it can't be."""
        with self._lock:
            self._placed.append(Fault(**values))

    def clear(self) -> None:
        """Let go on what is held, and forget all faults."""
        with self._lock:
            self._placed.clear()
            self._cleared.set()
            self._cleared = threading.Event()

    def placed(self) -> list[dict[str, Any]]:
        """All of them as JSON has them."""
        with self._lock:
            return [asdict(fault) for fault in self._placed]

    def meet(self, call: str) -> Fault | None:
        """Count this call; gives the fault that it suffers, if any."""
        with self._lock:
            return next(iter([fault for fault in self._placed if fault.meets(call)]), None)

    def wait(self, fault: Fault | None, when: str) -> None:
        """Hold or delay the calling thread, if this is the moment."""
        if fault is None or fault.when != when or fault.act == "fail":
            return
        with self._lock:
            cleared = self._cleared
            fault.held += 1
        cleared.wait(fault.seconds if fault.act == "delay" else None)
        with self._lock:
            fault.held -= 1
