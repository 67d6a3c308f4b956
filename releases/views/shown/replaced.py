"""What has become of a plan that somebody was about to decide on, when it was made anew meanwhile."""

from dataclasses import dataclass

from releases.domain.plans.plan_difference import PlanDifference, differences
from releases.models import Step
from terraform_runner.models import Run


@dataclass(frozen=True, kw_only=True)
class ReplacedPlan:
    """The two by the first letters of their digests; no ``differences`` where the changes are the same."""

    seen: str
    present: str
    differences: tuple[PlanDifference, ...]


def replaced_plan(step: Step, seen: str) -> ReplacedPlan | None:
    """In what a step's present plan differs from an earlier one of its own; None where there are not both."""
    present = step.plan_run
    if not seen or present is None or not present.plan_sha256 or present.plan_sha256 == seen:
        return None
    earlier = Run.objects.filter(pk__in=step.step_runs.values("run"), plan_sha256=seen).first()
    if earlier is None:
        return None
    return ReplacedPlan(
        seen=seen[:4],
        present=present.plan_sha256[:4],
        differences=differences(earlier.changes, present.changes),
    )
