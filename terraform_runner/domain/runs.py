"""What a run is, and the states it goes through. Only ``terraform_runner.claims`` changes a run's state."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Operation(StrEnum):
    """What a run does. Planning changes nothing; applying executes one saved plan."""

    PLAN = "plan"
    APPLY = "apply"


class RunStatus(StrEnum):
    """Where a run stands. ``LOST`` means that its worker is gone and nobody saw how it ended."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


ALLOWED_CHANGES: Mapping[RunStatus, frozenset[RunStatus]] = MappingProxyType(
    {
        RunStatus.QUEUED: frozenset({RunStatus.RUNNING, RunStatus.CANCELLED}),
        RunStatus.RUNNING: frozenset(
            {RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.LOST}
        ),
        RunStatus.SUCCEEDED: frozenset(),
        RunStatus.FAILED: frozenset(),
        RunStatus.CANCELLED: frozenset(),
        RunStatus.LOST: frozenset(),
    }
)
OPEN_STATUSES = frozenset(status for status, following in ALLOWED_CHANGES.items() if following)
ENDED_STATUSES = frozenset(RunStatus) - OPEN_STATUSES
