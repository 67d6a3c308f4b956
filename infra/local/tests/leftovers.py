"""Threads that outlive the test that started them: they would act in the middle of another one."""

import threading
from collections.abc import Collection

OURS = frozenset({"audit", "aws", "bench", "bluegreen", "infra", "releases", "terraform_runner", "tests"})


def threads_left(before: Collection[threading.Thread], *, seconds: float) -> list[str]:
    """Which threads and timers of this project are still there that were not before, after so long a wait for each.

    The pools of a process, and what libraries start for themselves, stay for as long as the process.
    """
    started = [one for one in threading.enumerate() if one not in before and _module(one) in OURS]
    for thread in started:
        thread.join(seconds)
    return [thread.name for thread in started if thread.is_alive()]


def _module(thread: threading.Thread) -> str:
    """The package of what the thread runs."""
    runs = getattr(thread, "function", None) or getattr(thread, "_target", None)
    return str(getattr(runs, "__module__", "")).partition(".")[0]
