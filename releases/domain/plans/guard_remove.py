"""The guard's rules for a removal: it deletes what is the service's own, and does nothing else."""

from collections.abc import Iterator

from releases.domain.plans.expectation import Expectation, Refusal
from releases.domain.plans.guard_resource import does_not_belong
from releases.domain.plans.plan_blocks import UnknownShape
from releases.domain.plans.plan_views import RULE, WEIGHTS, attributes
from releases.domain.traffic import Color
from terraform_runner.domain.plan import Plan, ResourceChange

# The plan is made of a root module that has the service's module no more; Terraform says `…_no_module` only where the
# module is still there and merely this instance of it isn't.
_REASON = "delete_because_no_resource_config"


def check(plan: Plan, expectation: Expectation) -> Iterator[Refusal]:
    """What is wrong with a removal's plan. What is missing in it was destroyed by an earlier try."""
    groups = {expectation.target_group_arn(color) for color in Color} - {""}
    for change in plan.resource_changes:
        yield from does_not_belong(change, expectation)
        yield from _check_action(change)
        yield from _check_own(change, groups)


def _check_action(change: ResourceChange) -> Iterator[Refusal]:
    extras = {
        "would not be deleted, and a removal does nothing else": change.actions != ("delete",),
        "would be left over": change.after is not None,
        "an old copy of it is left over": change.deposed,
        "it would be imported": change.importing,
        "it would move from another address": change.previous_address,
        f"is deleted for a reason of Terraform's own ({change.action_reason})": change.action_reason
        != _REASON,
    }
    for reason, holds in extras.items():
        if holds:
            yield _refusal(change, f"{reason}.")


def _check_own(change: ResourceChange, groups: set[str]) -> Iterator[Refusal]:
    """By what AWS calls it: a state that is another service's would have the right addresses too."""
    if not groups:
        return
    try:
        before = attributes(change.type, change.before)
    except UnknownShape as error:
        yield _refusal(change, f"{error.message}.")
        return
    if change.type == "aws_lb_target_group" and before.get("arn") not in groups:
        yield _refusal(change, "is not the target group that is recorded for this service.")
    if change.type == RULE and not {arn for arn, _ in before.get(WEIGHTS, ())} <= groups:
        yield _refusal(change, "forwards to target groups that are not this service's.")


def _refusal(change: ResourceChange, reason: str) -> Refusal:
    return Refusal(address=change.address, attribute="", reason=reason)
