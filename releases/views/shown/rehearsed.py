"""Terraform's part of a rehearsal, as its page shows it."""

from dataclasses import dataclass

from django.contrib.auth.models import User

from releases.models import Rehearsal
from releases.views.shown.waiting import waiting_run
from terraform_runner.domain.runs import ENDED_STATUSES


@dataclass(frozen=True, kw_only=True)
class PlanShown:
    """``seconds`` are from the moment when a worker took it; None while it goes on, for which ``text`` has words."""

    text: str
    problem: str
    seconds: float | None


def plan_of(rehearsal: Rehearsal, reader: User) -> PlanShown | None:
    """None for a rehearsal that had no such part. Three queries at most."""
    run = rehearsal.plan_run
    if run is None:
        return None
    if run.status not in ENDED_STATUSES:
        waiting = waiting_run(run, reader)
        return PlanShown(
            text=waiting.text if waiting else "The plan is being made.", problem="", seconds=None
        )
    took = run.ended_at - run.started_at if run.ended_at and run.started_at else None
    text = (
        f"would change {len(run.changes)} of its resources, as a rollback may"
        if run.changes
        else "nothing to change"
    )
    return PlanShown(
        text=text, problem=rehearsal.plan_problem, seconds=took.total_seconds() if took else None
    )
