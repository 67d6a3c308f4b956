"""The gates that a step stands before: its release's request, then its own plan.

Asked when a step may go on, and again right before its apply.
"""

from functools import cached_property
from typing import NamedTuple

from django.db.models import QuerySet

from releases import push
from releases.domain.approval import gate_policy
from releases.domain.approval.approval_policy import PlanIdentity
from releases.domain.approval.request_digest import RequestIdentity
from releases.domain.lifecycle import StepStatus
from releases.domain.traffic import Transition
from releases.models import Approval, Decision, Release, Service, Step
from releases.services.approval.gate import Gate, approved_since_rejection, ids
from releases.services.approval.policies import kept_policies
from releases.services.approval.request_identities import identity_of
from releases.services.lifecycle import now
from releases.services.messaging.telling import tell_that_it_waits

_TO_COME = frozenset({StepStatus.PENDING, StepStatus.PLANNING, StepStatus.WAITING})


class StepGate(Gate):
    """A step's own: its plan is what is approved."""

    @property
    def gate(self) -> gate_policy.Gate | None:
        """The transition's."""
        return gate_policy.gate_of(Transition(self.step.transition))

    @cached_property
    def is_needed(self) -> bool:
        """Never for what takes users off the candidate."""
        if self.gate is None or self.step.release_id is None:
            return self.step.gate
        return not self.is_unasked and self.policy.needs_approval(self.gate, planned=self.step.gate)

    @property
    def identity(self) -> PlanIdentity | None:
        """The present plan's."""
        run = self.step.plan_run
        return PlanIdentity(sha256=run.plan_sha256, changes_digest=run.changes_digest) if run else None

    @property
    def covered(self) -> frozenset[str]:
        """The present plan's changes, and those that they are the rest of."""
        present = self.step.plan_run.changes_digest if self.step.plan_run else ""
        return frozenset({present, self.step.rest_of} - {""})

    @cached_property
    def decisions(self) -> list[Approval]:
        """Those on plans of this very step."""
        return _on_plans(self.step)

    @property
    def elsewhere(self) -> frozenset[str]:
        """At the request, and at the gates of the release's other steps."""
        given = Approval.objects.filter(step__release=self.step.release_id, decision=Decision.APPROVED)
        others = given.filter(withdrawn_at__isnull=True).exclude(step=self.step, plan_run__isnull=False)
        return ids(others.values_list("decided_by_id", flat=True)) if self.step.release_id else frozenset()


class RequestGate(Gate):
    """The request's: it stands before each step of the release, for as long as what was approved is not what is asked.

    So whoever changes the release's course after the approval starts it again, and so does another version of the
    module, of Terraform or of a provider.
    """

    of_request = True
    gate = gate_policy.Gate.REQUEST

    @cached_property
    def is_needed(self) -> bool:
        """Where the policy asks for it; never for what takes users off the candidate."""
        if self.step.release_id is None or self.step.transition == Transition.ROLLBACK or self.is_unasked:
            return False
        return self.policy.needs_approval(self.gate, planned=False)

    @cached_property
    def request(self) -> RequestIdentity | None:
        """What is asked for now."""
        return identity_of(self.service, self.step.release) if self.step.release else None

    @property
    def identity(self) -> PlanIdentity | None:
        """There is no file: the digest of the request stands for both."""
        digest = self.request.digest if self.request else ""
        return PlanIdentity(sha256=digest, changes_digest=digest) if digest else None

    @property
    def covered(self) -> frozenset[str]:
        """The request as it is now."""
        return frozenset({self.identity.changes_digest} if self.identity else ())

    @cached_property
    def decisions(self) -> list[Approval]:
        """Those on the release's request, whatever step it stood before."""
        of_release = Approval.objects.filter(step__release=self.step.release_id)
        return _newest_first(of_release.filter(plan_run__isnull=True))

    @property
    def elsewhere(self) -> frozenset[str]:
        """At the gates of the release's steps."""
        given = Approval.objects.filter(step__release=self.step.release_id, decision=Decision.APPROVED)
        on_plans = given.filter(withdrawn_at__isnull=True, plan_run__isnull=False)
        return ids(on_plans.values_list("decided_by_id", flat=True))


class Gates(NamedTuple):
    """Both that a step stands before, whatever their policy asks."""

    of_request: RequestGate
    own: StepGate

    @property
    def is_request_shut(self) -> bool:
        """Whether the request's holds the step, which has not begun."""
        return self.own.step.status in _TO_COME and not self.of_request.is_open

    @property
    def present(self) -> Gate:
        """The one where somebody has to decide first."""
        return self.of_request if self.is_request_shut else self.own


def gates_before(service: Service, step: Step) -> Gates:
    """The gates of a step; one query, and more for what is asked of them."""
    kept = tuple(kept_policies(service))
    return Gates(RequestGate(service, step, kept), StepGate(service, step, kept))


def gate_now(service: Service, step: Step | None) -> Gate | None:
    """The gate where somebody decides now; None where nobody can yet."""
    if step is None:
        return None
    before = gates_before(service, step)
    return before.present if before.is_request_shut or step.status == StepStatus.WAITING else None


def ask(service: Service, step: Step) -> Gate | None:
    """The gate where somebody decides now, with who is missing there kept for the lists; None where nobody can yet.

    The caller holds the service.
    """
    before = gates_before(service, step)
    if before.is_request_shut or step.request_digest:
        _note(before.of_request)
    if not before.is_request_shut and step.status != StepStatus.WAITING:
        return None
    _note(before.present)
    return before.present


def ask_nobody(release: Release) -> None:
    """Its course is another one: at which step its request waits, and for whom, is seen anew."""
    asked = release.steps.exclude(request_digest="")
    asked.update(wanted=[], asked_at=None, look_again_at=None, request_digest="")


def since_rejection(step: Step) -> list[Approval]:
    """The approvals of a step's plans since somebody rejected one, newest first."""
    return approved_since_rejection(_on_plans(step))


def _note(gate: Gate) -> None:
    step, wanted, before = gate.step, gate.wanted, _noted(gate.step)
    was_wanted = set(step.wanted)
    is_asked = wanted and not (step.release and step.release.is_paused)
    since = step.asked_at if bool(step.request_digest) is gate.of_request else None
    step.wanted, step.asked_at = wanted, (since or now()) if is_asked else None
    step.look_again_at = gate.look_again_at
    step.request_digest = gate.identity.changes_digest if wanted and gate.of_request and gate.identity else ""
    if before != _noted(step):
        step.save(update_fields=["wanted", "asked_at", "look_again_at", "request_digest"])
    if wanted:
        tell_that_it_waits(step, again=not was_wanted.issuperset(wanted))
    if was_wanted != set(wanted):
        push.service_changed(step.service_id)


def _noted(step: Step) -> tuple[object, ...]:
    return step.wanted, step.asked_at, step.look_again_at, step.request_digest


def _on_plans(step: Step) -> list[Approval]:
    return _newest_first(step.approvals.filter(plan_run__isnull=False))


def _newest_first(decisions: QuerySet[Approval]) -> list[Approval]:
    standing = decisions.filter(withdrawn_at__isnull=True)
    return list(standing.select_related("decided_by", "plan_run", "step").order_by("-decided_at"))
