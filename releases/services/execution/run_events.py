"""What runs of Terraform leave in the trail: the plan and its judgement, the apply and its end, what was read back."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from releases.domain.observed.reality import Difference, Reality
from releases.models import Service, Step
from releases.services.lifecycle import SYSTEM, record
from terraform_runner.domain.runs import Operation
from terraform_runner.models import Run

# An event has to fit: of a larger plan the counts still say how much there is.
MOST_ADDRESSES = 200
MOST_DIFFERENCES, DIFFERENCE_CHARACTERS = 50, 500


def run_ended(service: Service, step: Step, run: Run, refusals: Sequence[str] = ()) -> None:
    """Record a plan that was made, with what the guard has against it, or how an apply ended."""
    run.refresh_from_db()
    if run.operation == Operation.APPLY:
        record(service, step, actor=SYSTEM, action="apply.ended", after=_apply(run), reason=run.error_message)
    elif run.plan_sha256:
        after = {**_plan(run), "guard": "refused" if refusals else "passed"}
        record(service, step, actor=SYSTEM, action="plan.made", after=after, reason="\n".join(refusals))


def read_back(
    service: Service, step: Step, reality: Reality | None, differences: Sequence[Difference | str]
) -> None:
    """Record what was found when what is real was compared with what was wanted."""
    versions = {color.value: version for color, version in reality.alias_versions.items()} if reality else {}
    found = [str(one)[:DIFFERENCE_CHARACTERS] for one in differences[:MOST_DIFFERENCES]]
    after = {"agrees": not differences, "differences": found, "versions": versions}
    record(service, step, actor=SYSTEM, action="step.read-back", after=after)


def _plan(run: Run) -> dict[str, Any]:
    return {
        **_by_what(run),
        "plan_sha256": run.plan_sha256,
        "changes_digest": run.changes_digest,
        "counts": dict(Counter(map(_act, run.changes))),
        "changes": {change["address"]: _act(change) for change in run.changes[:MOST_ADDRESSES]},
        "state_serial": run.state_serial,
    }


def _apply(run: Run) -> dict[str, Any]:
    plan_run = run.plan_run or run
    return {
        **_by_what(run),
        "result": run.status,
        "error": run.error_code,
        "plan_sha256": plan_run.plan_sha256,
        "changes_digest": plan_run.changes_digest,
        "state_serial_before": plan_run.state_serial,
        "state_serial_after": run.state_serial,
    }


def _by_what(run: Run) -> dict[str, Any]:
    took = (run.ended_at - run.started_at).total_seconds() if run.started_at and run.ended_at else None
    return {
        "run": str(run.pk),
        "worker": run.worker,
        "command": run.command,
        "terraform": run.terraform_version,
        "providers": run.providers,
        "exit_code": run.exit_code,
        "seconds": took,
    }


def _act(change: Mapping[str, Any]) -> str:
    """What Terraform does with one resource, in its own words: "update", "delete, create"."""
    return ", ".join(change["actions"])
