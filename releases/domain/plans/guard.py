"""The plan guard: whether a plan does what its transition may do, and nothing else.

The rules are data in `guard_table`. A plan is made after a refresh, so that `before` is what is real:
whatever was changed outside of Bluegreen is found there, and the plan's list of drift, which is mostly
noise, needs no look of its own.
"""

from collections import Counter
from collections.abc import Iterator

from releases.domain.plans import guard_remove, guard_set_up, guard_settings
from releases.domain.plans.expectation import Expectation, Refusal
from releases.domain.plans.guard_resource import check_resource
from releases.domain.plans.plan_blocks import UnknownShape
from releases.domain.traffic import Transition
from terraform_runner.domain.plan import WITHOUT_EFFECT, Plan, ResourceChange

__all__ = ["Expectation", "Refusal", "changes_nothing", "check_plan"]


def check_plan(plan: Plan, expectation: Expectation) -> tuple[Refusal, ...]:
    """Everything in the plan that its transition may not do; empty: the plan is accepted.

    An empty plan is accepted too, if what it leaves is what was wanted.
    """
    if expectation.transition is Transition.REMOVE:
        return (*_check_document(plan), *guard_remove.check(plan, expectation))
    refusals = [*_check_document(plan), *_check_presence(plan, expectation)]
    for change in plan.resource_changes:
        if not _reads_data(change):
            refusals += check_resource(change, plan, expectation)
    try:
        if expectation.transition is Transition.SET_UP and not refusals:
            refusals += guard_set_up.check(plan, expectation)
        if guard_settings.applies_to(expectation) and not refusals:
            refusals += guard_settings.check(plan, expectation)
    except UnknownShape as error:
        refusals.append(Refusal(address="", attribute="", reason=f"Something in the plan {error.message}."))
    return tuple(refusals)


def changes_nothing(plan: Plan) -> bool:
    """Whether an apply of this plan would have no effect at AWS."""
    return not plan.changes


def _reads_data(change: ResourceChange) -> bool:
    # By its address too: nothing may pass for a data source that isn't one.
    named = change.address.split(".")
    return change.mode == "data" and "data" in named[:-2] and change.actions in WITHOUT_EFFECT


def _check_document(plan: Plan) -> Iterator[Refusal]:
    problems = {
        "Terraform met an error while planning.": plan.errored,
        "The plan is not complete: a second one would be needed.": plan.complete is False,
        "Terraform says that this plan cannot be applied.": plan.applyable is False and plan.changes,
        "Terraform put some changes off to a later plan.": plan.deferred_changes,
    }
    problems |= {
        f"The check {check.address} says {check.status}.": check.status != "pass" for check in plan.checks
    }
    problems |= {
        f"The plan has something that the guard does not know: {name}.": True for name in plan.unexpected
    }
    for reason, holds in problems.items():
        if holds:
            yield Refusal(address="", attribute="", reason=reason)


def _check_presence(plan: Plan, expectation: Expectation) -> Iterator[Refusal]:
    found = Counter(change.address for change in plan.resource_changes if change.mode == "managed")
    for name in sorted(expectation.required):
        if not found[expectation.module_prefix + name]:
            reason = "is missing: every resource of the service has to be in the plan."
            yield Refusal(address=expectation.module_prefix + name, attribute="", reason=reason)
    for address in sorted(address for address, count in found.items() if count > 1):
        yield Refusal(address=address, attribute="", reason="is in the plan twice.")
