"""The form of a decision: the same in the inbox, on a release's page and for a change of a service."""

from dataclasses import dataclass

from releases.domain.access.decisions import Decision, Refused
from releases.domain.approval.approval_policy import PlanIdentity
from releases.models import Step
from releases.views.shown.gate import GateShown
from releases.views.shown.words import consequence

_CUT = "approval:not-whole"


@dataclass(frozen=True, kw_only=True)
class DecisionShown:
    """``what`` is decided on, by its ``identity``, which the form carries; ``consequence``: what an approval leads to.

    Each ``may_`` is true, or has the reason why not.
    """

    what: str
    identity: PlanIdentity | None
    consequence: str
    may_approve: Decision
    may_reject: Decision


def decision_of(
    step: Step, gate: GateShown | None, *, may_approve: Decision, may_reject: Decision, is_whole: bool
) -> DecisionShown:
    """A decision at a step's gate; nobody decides where not all is shown that is decided on (not ``is_whole``)."""
    if may_approve and not is_whole:
        may_approve = Refused(_CUT, "The plan is too long for a page: this shows only a part of it.")
    if may_reject and not is_whole:
        may_reject = Refused(_CUT, "It can be rejected once all of it is shown.")
    return DecisionShown(
        what=gate.what if gate else "",
        identity=gate.identity if gate else None,
        consequence=_consequence(step, of_request=bool(gate and gate.of_request)),
        may_approve=may_approve,
        may_reject=may_reject,
    )


def _consequence(step: Step, *, of_request: bool) -> str:
    if step.release is None:
        return "it is applied at once"
    if of_request:
        return f"{step.release.tag or 'the version'} goes out by these steps"
    return consequence(step)
