"""The inbox: what waits for somebody, each in a line, and the one that is looked at with all that a decision needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.utils import timezone

from releases import selectors
from releases.domain import acts
from releases.domain.access.decisions import Decision as Answer
from releases.domain.lifecycle import StepStatus
from releases.domain.plans.risk import Risk, RiskWord
from releases.models import Approval, Step
from releases.permissions import as_person
from releases.selectors import plans as plan_selectors
from releases.services import facts
from releases.services.approval import gate_counts, risks
from releases.services.approval.gate import Gate
from releases.services.approval.gates import gates_before
from releases.services.approval.plan_sentences import sentence_of
from releases.views.shown.decision import DecisionShown, decision_of
from releases.views.shown.gate import GateShown, gate_of
from releases.views.shown.plans import PlanShown, plan_of
from releases.views.shown.ready import TakingOver, other_side
from releases.views.shown.requested import RequestShown, request_of, request_sentence
from releases.views.shown.traffic import TrafficShown, traffic_of
from releases.views.shown.words import age_in_words, step_status, step_title


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """One plan, or request, that waits for somebody; ``count`` says how many of how many have approved it."""

    step: Step
    title: str
    sentence: str
    risk: Risk
    since: datetime | None
    count: str

    @property
    def is_routine(self) -> bool:
        """Whether it may be approved together with others."""
        return self.risk.word is RiskWord.ROUTINE

    @property
    def verdict(self) -> str:
        """Its risk, after "it"."""
        return self.risk.word if self.risk.word is RiskWord.NEEDS_A_LOOK else f"is {self.risk.word}"

    @property
    def name(self) -> str:
        """What it is called where several are spoken of."""
        return f"{self.step.service.name}, {self.title}"


@dataclass(frozen=True, kw_only=True)
class Check:
    """Something that a decision depends on, and whether it is as it should be."""

    is_good: bool
    text: str


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The plan that is looked at; ``nothing_to_do`` says why nothing is left to decide, "" where something is."""

    step: Step
    title: str
    plan: PlanShown | None
    request: RequestShown | None
    traffic: TrafficShown
    other_side: TakingOver | None
    checks: tuple[Check, ...]
    approvals: Sequence[Approval]
    gate: GateShown | None
    decision: DecisionShown
    nothing_to_do: str


_OF_A_REQUEST = Risk(RiskWord.NEEDS_A_LOOK, "It is the request: its plans are made when it is approved.")


def title_of(step: Step) -> str:
    """What is decided on at a step."""
    return "Request" if step.request_digest else step_title(step)


def waiting(steps: Sequence[Step]) -> list[Waiting]:
    """These plans, each in a line; four queries for all of them."""
    risk, counts = risks.risks_of(steps), gate_counts.counts_of(steps)
    return [
        Waiting(
            step=step,
            title=title_of(step),
            sentence=request_sentence(step) if step.request_digest else sentence_of(step.service, step),
            risk=_OF_A_REQUEST if step.request_digest else risk[step.pk],
            since=step.plan_run.ended_at if step.plan_run else step.asked_at,
            count=counts[step.pk],
        )
        for step in steps
    ]


def chosen(user: User, step: Step, risk: Risk | None = None) -> Chosen:
    """The plan of a step with all that a decision needs; a constant number of queries.

    ``risk`` is what its line in the list says, where that was read already.
    """
    service, person = step.service, as_person(user, step.service)
    gates, approvals = gates_before(service, step), plan_selectors.approvals_of(step)
    step_now = facts.step_facts(service, step, gates)
    gate, may = gates.present, acts.may_decide(person, step_now)
    side = other_side(service) if service.set_up_at else None
    plan = None if gate.of_request else plan_of(service, step, None if step.request_digest else risk)
    of_release = step.release if gate.of_request else None
    request = request_of(gate, selectors.steps_of_release(of_release)) if of_release else None
    asked = gate_of(gate) if gate.is_needed else None
    return Chosen(
        step=step,
        title=title_of(step),
        plan=plan,
        request=request,
        traffic=traffic_of(service),
        other_side=side,
        checks=_checks(gate, side),
        approvals=approvals,
        gate=asked,
        decision=decision_of(
            step,
            asked,
            may_approve=may,
            may_reject=acts.may_refuse(person, step_now),
            is_whole=request is not None or (plan is not None and plan.is_complete),
        ),
        nothing_to_do=_nothing_to_do(step, approvals, may),
    )


def decided_words(step: Step, approvals: Sequence[Approval]) -> str:
    """Who has decided on a step last, and when; or where it stands where nobody has."""
    last = next((one for one in reversed(approvals) if one.withdrawn_at is None), None)
    if last is None:
        return f"{step.service.name}, {step_title(step)}, is {step_status(step).word} by now"
    when = age_in_words(timezone.now() - last.decided_at)
    return (
        f"{step.service.name}, {step_title(step)}, was {last.decision} by {last.decided_by.username} {when}"
    )


def _nothing_to_do(step: Step, approvals: Sequence[Approval], may: Answer) -> str:
    code = getattr(may, "code", "")
    if (step.status == StepStatus.WAITING or step.request_digest) and code != "approval:decided":
        return ""
    return f"{decided_words(step, approvals)}: nothing to do."


def _checks(gate: Gate, side: TakingOver | None) -> tuple[Check, ...]:
    fits = gate.step.epoch == gate.service.epoch
    checks = [
        Check(is_good=True, text="The guard has found nothing in the plan but what this step may change."),
        Check(
            is_good=fits,
            text="No rollback came since it was planned."
            if fits
            else "A rollback came since it was planned.",
        ),
    ]
    frozen = f"{gate.frozen} It may be approved meanwhile." if gate.frozen else "No freeze holds it up."
    checks.append(Check(is_good=not gate.frozen, text=frozen))
    if side is not None and side.found is not None:
        ready = side.found.is_ready
        words = "is ready to take over" if ready else "may not be ready to take over"
        checks.append(Check(is_good=ready, text=f"{side.to.color.capitalize()} · {side.to.name} {words}."))
    return tuple(checks)
