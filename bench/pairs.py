"""Two ways of doing the same, timed in turn, so that whatever else the machine does burdens both."""

import time
from collections.abc import Callable

PAIRS = 5


def timed(act: Callable[[], object]) -> float:
    """How long it takes, in seconds."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def in_turn(ours: Callable[[], float], plain: Callable[[], float]) -> tuple[list[float], list[float]]:
    """The seconds of each, taken A B A B; each says its own, so that what it prepares does not count."""
    measured: list[float] = []
    baseline: list[float] = []
    for number in range(1, PAIRS + 1):
        measured.append(ours())
        baseline.append(plain())
        print(f"{number} of {PAIRS}: {measured[-1]:.3f} s; the plain way {baseline[-1]:.3f} s")
    return measured, baseline
