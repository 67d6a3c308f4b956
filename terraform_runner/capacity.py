"""How many runs a machine can execute at once: Terraform and its provider need memory above all."""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil

RUN_BYTES = 600 * 2**20
# For Bluegreen itself, and one run that never waits: what follows the emergency button.
KEPT_BYTES = 1024 * 2**20 + RUN_BYTES
CGROUPS = Path("/sys/fs/cgroup")


def runs_at_once() -> int:
    """As many as there is memory for, and not more than processors; at least one."""
    return max(1, min(processors(), (memory_bytes() - KEPT_BYTES) // RUN_BYTES))


def processors() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> int:
    """The machine's memory, or what a container may use of it."""
    return min([psutil.virtual_memory().total, *_limits()])


def _limits() -> Iterator[int]:
    """The limits of this process's control group and of those above it, in both of Linux's versions."""
    for group in _groups():
        for name in ("memory.max", "memory.limit_in_bytes"):
            try:
                limit = (group / name).read_text().strip()
            except OSError:
                continue
            if limit.isdecimal():  # "max" is none
                yield int(limit)


def _groups() -> Iterator[Path]:
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        root = CGROUPS / "memory" if controllers == "memory" else CGROUPS
        if controllers in ("", "memory"):
            own = root / path.lstrip("/")
            yield from (group for group in (own, *own.parents) if group.is_relative_to(root))
