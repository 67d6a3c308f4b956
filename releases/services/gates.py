"""Whether a gate is open: asked when a step may go on, and again right before its apply."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import takewhile

from django.contrib.auth.models import User

from releases import push
from releases.domain.any_weight import lowers
from releases.domain.approval_policy import Approval as GivenApproval
from releases.domain.approval_policy import GateFacts, still_good
from releases.domain.decisions import Allowed, Person, Refused
from releases.domain.decisions import Decision as Answer
from releases.domain.freezes import Frozen, frozen_at
from releases.domain.gate_policy import ANYBODY, Policy, Slot, gate_of
from releases.domain.gate_standing import Standing, WhoCounts, groups_wanted, in_words, standing, who_could
from releases.domain.traffic import Transition
from releases.models import Approval, Decision, Service, Step
from releases.models import Policy as KeptPolicy
from releases.permissions import approvers
from releases.services.lifecycle import now
from releases.services.policies import combined, kept_policies


@dataclass(frozen=True, kw_only=True)
class Given:
    """A decision at this gate, whether it counts now, and until when if that ends by itself."""

    approval: Approval
    person: Person
    answer: Answer
    good_until: datetime | None

    @property
    def counts(self) -> bool:
        """Whether it is an approval that counts now."""
        return bool(self.answer)


@dataclass(frozen=True)
class StepGate:
    """A step's gate as it is now: what the policy asks for, who has given it, who could; read when it is asked for."""

    service: Service
    step: Step

    @cached_property
    def _kept(self) -> list[KeptPolicy]:
        return kept_policies(self.service)

    @cached_property
    def policy(self) -> Policy:
        """The policy as it is now."""
        return combined(self._kept)

    @cached_property
    def is_needed(self) -> bool:
        """Whether an approval is needed; never by what takes users off the candidate."""
        transition = Transition(self.step.transition)
        gate = gate_of(transition)
        if gate is None or self.step.release_id is None:
            return self.step.gate
        if self._is_unasked:
            return False
        return self.policy.needs_approval(gate, planned=self.step.gate)

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The places that have to be filled."""
        gate = gate_of(Transition(self.step.transition))
        return self.policy.rule(gate).slots if gate else (ANYBODY,)

    @cached_property
    def approvers(self) -> dict[User, Person]:
        """Who may approve for this service, by name."""
        return approvers(self.service)

    @cached_property
    def who_counts(self) -> WhoCounts:
        """Whose approval counts here, as the policy has it."""
        changed_by = self.step.release.changed_by_id if self.step.release else None
        return WhoCounts(
            four_eyes=self.policy.four_eyes,
            requester_ids=requester_ids(self.step),
            changer_ids=frozenset({str(changed_by)} if changed_by else ()),
            policy_maker_ids=frozenset(str(one.changed_by_id) for one in self._kept if one.changed_by_id),
            elsewhere_ids=_approved_elsewhere(self.step) if self.policy.one_gate_each else frozenset(),
        )

    @cached_property
    def given(self) -> tuple[Given, ...]:
        """The step's approvals since somebody rejected a plan of it, newest first, each with whether it counts."""
        people = {account.pk: person for account, person in self.approvers.items()}
        moment = now()
        return tuple(
            self._given(approval, people.get(approval.decided_by_id), moment)
            for approval in given_since_rejection(self.step)
        )

    @cached_property
    def counted(self) -> tuple[Person, ...]:
        """Those whose approval counts, the first one first; each once."""
        people = [one.person for one in reversed(self.given) if one.counts]
        return tuple({person.id: person for person in people}.values())

    @cached_property
    def standing(self) -> Standing:
        """Which places are filled."""
        return standing(self.slots, self.counted)

    @property
    def is_open(self) -> bool:
        """Whether nothing is missing between the step's present plan and its apply."""
        return not self.is_needed or self.standing.is_open

    @property
    def answer(self) -> Answer:
        """Whether the approvals let the step's plan be applied, or why not."""
        if self.standing.is_open:
            return Allowed()
        if self.given and not self.counted:
            return self.given[0].answer
        if self.slots == (ANYBODY,):
            return Refused("approval:missing", "This step waits for an approval.")
        return Refused("approval:missing", f"This step waits for an approval, {self.words}.")

    @property
    def could(self) -> list[User]:
        """Those who could fill a place that is left."""
        counted = {person.id for person in self.counted}
        free = [
            person
            for person in self.approvers.values()
            if person.id not in counted and self.who_counts.check(person)
        ]
        could = {person.id for person in who_could(self.slots, self.counted, free)}
        return [account for account in self.approvers if str(account.pk) in could]

    @property
    def words(self) -> str:
        """What is missing and who could give it, in words."""
        return in_words(self.standing, [account.username for account in self.could])

    @property
    def wanted(self) -> list[str]:
        """The groups of which somebody is missing; none where it is open."""
        return [] if self.is_open else sorted(groups_wanted(self.slots, self.counted))

    @property
    def waits_until(self) -> datetime | None:
        """When the wait for those who are missing becomes too long; None where it never does."""
        seconds = self.policy.wait_seconds
        return self.step.asked_at + timedelta(seconds=seconds) if seconds and self.step.asked_at else None

    @property
    def look_again_at(self) -> datetime | None:
        """When the gate may stand otherwise by the time alone."""
        ends = [one.good_until for one in self.given if one.counts and one.good_until]
        return min([*ends, *([self.waits_until] if self.waits_until else [])], default=None)

    @cached_property
    def frozen(self) -> Frozen | None:
        """Whether nothing begins now, and until when; what takes users off the candidate always may."""
        transition = Transition(self.step.transition)
        if transition is Transition.ROLLBACK or self._lowers:
            return None
        return frozen_at(now(), freezes=self.policy.freezes, allowed=self.policy.allowed_hours)

    @cached_property
    def facts(self) -> GateFacts:
        """The gate as the rules see it."""
        return GateFacts(
            slots=self.slots,
            who_counts=self.who_counts,
            approvers=self.counted,
            decided=self._decided(),
        )

    @property
    def _is_unasked(self) -> bool:
        """A lower share, or an address that is added to a canary which is on: neither waits for anybody."""
        step = self.step
        added = step.transition == Transition.CANARY and step.requested_by_id is not None and not step.gate
        return added or self._lowers

    @property
    def _lowers(self) -> bool:
        return lowers(self.service.state, Transition(self.step.transition), self.step.candidate_share)

    def _decided(self) -> str:
        last = next(iter(self.given), None)
        if last is not None and self.standing.is_open:
            return _said(last.approval)
        rejected = self.step.approvals.filter(withdrawn_at__isnull=True).select_related("decided_by").last()
        is_rejected = rejected is not None and rejected.decision == Decision.REJECTED
        return (
            _said(rejected)
            if rejected and is_rejected and rejected.plan_run_id == self.step.plan_run_id
            else ""
        )

    def _given(self, approval: Approval, person: Person | None, moment: datetime) -> Given:
        approver = person or Person(id=str(approval.decided_by_id), is_active=False)
        seconds = self.policy.approval_seconds
        good_until = approval.decided_at + timedelta(seconds=seconds) if seconds else None
        answer = still_good(
            GivenApproval(
                approver=approver,
                release_id=str(self.step.release_id),
                step_id=str(approval.step_id),
                changes_digest=approval.changes_digest,
                epoch=approval.epoch,
                good_until=good_until,
            ),
            who_counts=self.who_counts,
            release_id=str(self.step.release_id),
            step_id=str(self.step.pk),
            changes_digests=_digests(self.step),
            epoch=self.service.epoch,
            moment=moment,
        )
        return Given(approval=approval, person=approver, answer=answer, good_until=good_until)


def note(gate: StepGate) -> None:
    """Keep for the lists who is missing at a waiting step's gate, and since when; the caller holds the service."""
    step, wanted = gate.step, gate.wanted
    before = (step.wanted, step.asked_at, step.look_again_at)
    is_asked = wanted and not (step.release and step.release.is_paused)
    step.wanted, step.asked_at = wanted, (step.asked_at or now()) if is_asked else None
    step.look_again_at = gate.look_again_at
    if before != (step.wanted, step.asked_at, step.look_again_at):
        step.save(update_fields=["wanted", "asked_at", "look_again_at"])
    if before[0] != wanted:
        push.service_changed(step.service_id)


def given_since_rejection(step: Step) -> list[Approval]:
    """The step's approvals since somebody rejected a plan of it, newest first; without those that were withdrawn."""
    decisions = step.approvals.filter(withdrawn_at__isnull=True)
    in_order = decisions.select_related("decided_by", "plan_run").order_by("-decided_at")
    return list(takewhile(lambda one: one.decision == Decision.APPROVED, in_order))


def requester_ids(step: Step) -> frozenset[str]:
    """Who asked for what the step does: for its release, and for the very step where somebody did."""
    asked = (step.release.requested_by_id if step.release else None, step.requested_by_id)
    return frozenset(str(one) for one in asked if one is not None)


def _approved_elsewhere(step: Step) -> frozenset[str]:
    given = Approval.objects.filter(step__release=step.release_id, decision=Decision.APPROVED)
    others = given.filter(withdrawn_at__isnull=True).exclude(step=step) if step.release_id else given.none()
    return frozenset(map(str, others.values_list("decided_by_id", flat=True)))


def _digests(step: Step) -> frozenset[str]:
    """What an approval may have been given for, that the present plan is covered by it."""
    present = step.plan_run.changes_digest if step.plan_run else ""
    return frozenset({present, step.rest_of} - {""})


def _said(approval: Approval) -> str:
    return (
        f"{approval.decided_by.username} {approval.decision} it on {approval.decided_at:%d %B at %H:%M} UTC."
    )
