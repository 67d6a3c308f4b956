"""One factory makes one object; what it belongs to is given."""

from typing import Any

from terraform_runner import claims
from terraform_runner.domain.plan import parse_plan
from terraform_runner.domain.results import Planned
from terraform_runner.domain.runs import Operation
from terraform_runner.leases import GRACE_SECONDS, LEASE_SECONDS
from terraform_runner.models import Run
from terraform_runner.tests.support import plan_document

WORKER = "host/1/2.0"


def planned(**values: Any) -> Planned:
    """What a plan run that succeeded hands back."""
    usual = {"plan_sha256": "a" * 64, "document_sha256": "b" * 64, "changes_digest": "c" * 64, "changes": []}
    return Planned(plan=parse_plan(plan_document()), **(usual | values))


def queued_run(workspace: str = "service") -> Run:
    """A plan run that nobody has taken."""
    return claims.queue_run(workspace=workspace, operation=Operation.PLAN)


def running_run(
    workspace: str = "service",
    *,
    worker: str = WORKER,
    lease_seconds: float = LEASE_SECONDS,
    grace_seconds: float = GRACE_SECONDS,
) -> Run:
    """A plan run that a worker has taken."""
    run = claims.claim(
        queued_run(workspace).pk, worker=worker, lease_seconds=lease_seconds, grace_seconds=grace_seconds
    )
    assert run is not None
    return run


def planned_run(workspace: str = "service") -> Run:
    """A plan run that succeeded."""
    run = running_run(workspace)
    claims.finish(run, planned())
    run.refresh_from_db()
    return run
