"""How closely somebody should look at steps' plans, from what the database knows of them."""

from collections.abc import Sequence
from uuid import UUID

from releases.domain.plans.risk import COMPARED_RELEASES, PlanFacts, Risk, kinds_of, risk
from releases.domain.versions.configuration_words import changes
from releases.models import Step
from releases.selectors import plans as plan_selectors
from releases.selectors.plans import Applied
from releases.services import states
from releases.services.errors import PlanOutdated


def risk_of(step: Step) -> Risk:
    """The risk of the plan that a step has. Two queries."""
    return risks_of([step])[step.pk]


def risks_of(steps: Sequence[Step]) -> dict[UUID, Risk]:
    """The risk of each of these steps' plans, by the step's id; two queries, however many there are."""
    applied = plan_selectors.applied_plans(steps, releases=COMPARED_RELEASES)
    outside = plan_selectors.steps_with_failed_runs(steps, code=PlanOutdated.code)
    return {
        step.pk: risk(_facts(step, applied.get(step.pk, []), is_outside=step.pk in outside)) for step in steps
    }


def _facts(step: Step, applied: Sequence[Applied], *, is_outside: bool) -> PlanFacts:
    release = step.release
    return PlanFacts(
        changes=step.plan_run.changes if step.plan_run else (),
        earlier=_kinds_by_release(applied) if release else None,
        environment=step.service.environment,
        jump=_jump(step),
        configuration=[change.name for change in changes(release.from_configuration, release.configuration)]
        if release
        else (),
        changed_outside=is_outside,
        tag_moved=bool(release and release.is_open and release.tag_moved_to),
    )


def _kinds_by_release(applied: Sequence[Applied]) -> list[frozenset[str]]:
    """One set for each release: a release may have several steps of a kind."""
    kinds: dict[int, frozenset[str]] = {}
    for number, plan in applied:
        kinds[number] = kinds.get(number, frozenset()) | kinds_of(plan)
    return list(kinds.values())


def _jump(step: Step) -> int:
    """By how many percent of all users the candidate's share rises."""
    if not step.state_after:
        return 0
    before, after = states.from_json(step.state_before), states.from_json(step.state_after)
    return after.candidate_share - before.candidate_share if before.stable is after.stable else 0
