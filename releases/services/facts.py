"""What the rules have to know to say which acts are possible now: pages and services ask with the same facts."""

from django.contrib.auth.models import User

from releases import selectors
from releases.domain import acts
from releases.domain.acts import Act, ServiceFacts, StepFacts
from releases.domain.approval_policy import PlanIdentity
from releases.domain.decisions import Decision
from releases.domain.lifecycle import StepStatus
from releases.domain.traffic import ROTATIONS, Color
from releases.models import Service, Step
from releases.permissions import as_person
from releases.services import gates


def possible_acts(user: User, service: Service) -> dict[Act, Decision]:
    """For each act whether this person may do it now with this service, or why not."""
    step = acting_step(service)
    facts = step_facts(service, step) if step else None
    return acts.possible_acts(as_person(user, service), service_facts(service), facts)


def service_facts(service: Service, *, rules_differ: bool = False) -> ServiceFacts:
    """The service as the rules see it. ``rules_differ`` is for those who have asked AWS."""
    step = selectors.current_step(service)
    return ServiceFacts(
        state=service.state if service.set_up_at else None,
        safe_color=Color(service.safe_color),
        release_open=step is not None and step.release is not None,
        converging=step is not None and step.release is None and step.transition not in ROTATIONS,
        preparing=step is not None and step.release is None and step.transition in ROTATIONS,
        rules_differ=rules_differ,
    )


def step_facts(service: Service, step: Step) -> StepFacts:
    """A step as the rules see it."""
    run = step.plan_run
    plan = PlanIdentity(sha256=run.plan_sha256, changes_digest=run.changes_digest) if run else None
    return StepFacts(
        requester_ids=gates.requester_ids(step),
        status=StepStatus(step.status),
        gate=step.gate,
        started=step.started_at is not None,
        plan=plan,
        decided=run is not None and step.approvals.filter(plan_run=run).exists(),
        approval=gates.answer(service, step),
    )


def acting_step(service: Service) -> Step | None:
    """The step that can be started or decided on: the current one, or the next one while the current one bakes."""
    steps = [step for step in selectors.unfinished_steps(service)[:2] if step.status != StepStatus.BAKING]
    step = steps[0] if steps else None
    return step if step and step.release is not None else None


def started_together(step: Step) -> list[Step]:
    """The steps that one start begins: a rotation's parts are one thing to the person who starts it."""
    if step.transition not in ROTATIONS:
        return [step]
    parts = Step.objects.filter(release=step.release, transition__in=ROTATIONS, started_at__isnull=True)
    return list(parts.select_related("service", "release").order_by("position"))
