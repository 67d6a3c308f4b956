"""What the rules have to know to say which acts are possible now: pages and services ask with the same facts."""

from django.contrib.auth.models import User

from releases import selectors
from releases.domain import acts
from releases.domain.access.decisions import Decision
from releases.domain.acts import Act, ServiceFacts, StepFacts
from releases.domain.any_weight import PlacedStep
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.domain.provisioning.managing import MANAGED, going_on_words
from releases.domain.release_acts import ReleaseFacts
from releases.domain.traffic import ROTATIONS, Color, Transition
from releases.models import Release, Service, Step
from releases.permissions import as_person
from releases.selectors import rollbacks as rollback_selectors
from releases.services.approval import gates


def possible_acts(user: User, service: Service) -> dict[Act, Decision]:
    """For each act whether this person may do it now with this service, or why not."""
    step = acting_step(service)
    facts = step_facts(service, step) if step else None
    release = selectors.open_release(service)
    on_release = release_facts(service, release) if release else None
    return acts.possible_acts(as_person(user, service), service_facts(service), facts, on_release)


def service_facts(service: Service, *, rules_differ: bool = False) -> ServiceFacts:
    """The service as the rules see it. ``rules_differ`` is for those who have asked AWS."""
    step = selectors.current_step(service)
    return ServiceFacts(
        state=service.state if service.set_up_at else None,
        safe_color=Color(service.safe_color),
        release_open=step is not None and step.release is not None,
        converging=step is not None and step.release is None and step.transition not in ROTATIONS,
        busy=_busy(service, step),
        preparing=step is not None and step.release is None and step.transition in ROTATIONS,
        rules_differ=rules_differ,
        reason_due=rollback_selectors.reason_due(service),
    )


def _busy(service: Service, step: Step | None) -> str:
    if service.removed_at is not None:
        return "This service was removed; only its history is left."
    if step is not None and step.release is None and step.transition in MANAGED:
        return going_on_words(Transition(step.transition))
    return "A change of the settings was begun: ask for settings again." if service.settings_begun else ""


def step_facts(service: Service, step: Step, before: gates.Gates | None = None) -> StepFacts:
    """A step as the rules see it, and ``before`` it these gates where they were read already."""
    run, before = step.plan_run, before or gates.gates_before(service, step)
    gate = before.present
    return StepFacts(
        status=StepStatus(step.status),
        gate=gate.is_needed,
        started=step.started_at is not None,
        plan=gate.identity,
        approval=gate.answer,
        at_gate=gate.facts,
        approved_by=_approved_by(before),
        used=run is not None and run.plan_used_at is not None,
        automatic=step.automatic,
        paused=step.release is not None and step.release.is_paused,
    )


def _approved_by(before: gates.Gates) -> frozenset[str]:
    """Whose approval counts, here or at the request; that one is used once anything of the release has begun."""
    release, here = before.own.step.release, before.present.counted
    of_request = before.of_request.counted if before.of_request.is_needed else ()
    if release is None or not of_request or selectors.release_has_begun(release):
        of_request = ()
    return frozenset(person.id for person in (*here, *of_request))


def release_facts(service: Service, release: Release) -> ReleaseFacts:
    """A release as the rules see it."""
    current, acting = present_steps(service) if release.is_open else (None, None)
    failed = acting is not None and acting.status == StepStatus.FAILED
    return ReleaseFacts(
        status=ReleaseStatus(release.status),
        requested_by_id=str(release.requested_by_id),
        share=service.state.candidate_share,
        current=placed(current) if current else None,
        acting=placed(acting) if acting else None,
        in_place=current is not None and current.transition not in ROTATIONS,
        somebody_was_sent=selectors.somebody_was_sent(release),
        canary_on=service.activate_canary,
        apply_begun=failed and acting is not None and _apply_has_begun(acting),
    )


def placed(step: Step) -> PlacedStep:
    """A step as the rules of plans see it."""
    return PlacedStep(
        transition=Transition(step.transition),
        candidate_share=step.candidate_share,
        status=StepStatus(step.status),
    )


def acting_step(service: Service) -> Step | None:
    """The step that can be started or decided on: the current one, or the next one while the current one bakes."""
    return present_steps(service)[1]


def present_steps(service: Service) -> tuple[Step | None, Step | None]:
    """The current step and the one that people act on; the latter is of a release always."""
    steps = list(selectors.unfinished_steps(service)[:2])
    acting = next((step for step in steps if step.status != StepStatus.BAKING), None)
    return next(iter(steps), None), acting if acting and acting.release is not None else None


def started_together(step: Step) -> list[Step]:
    """The steps that one start begins: a rotation's parts are one thing to the person who starts it."""
    if step.transition not in ROTATIONS:
        return [step]
    parts = Step.objects.filter(release=step.release, transition__in=ROTATIONS, started_at__isnull=True)
    return list(parts.select_related("service", "release").order_by("position"))


def _apply_has_begun(step: Step) -> bool:
    return step.apply_run is not None and step.plan_run is not None and step.plan_run.plan_used_at is not None
