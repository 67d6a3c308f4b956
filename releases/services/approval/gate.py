"""A gate as it is now: what the policy asks for, who has given it, and who could."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import takewhile

from django.contrib.auth.models import User

from releases.domain.access.decisions import Allowed, Person, Refused
from releases.domain.access.decisions import Decision as Answer
from releases.domain.any_weight import lowers
from releases.domain.approval import gate_policy
from releases.domain.approval.approval_policy import Approval as GivenApproval
from releases.domain.approval.approval_policy import GateFacts, PlanIdentity, still_good
from releases.domain.approval.break_glass import still_holds
from releases.domain.approval.freezes import Frozen, frozen_at
from releases.domain.approval.gate_policy import Policy
from releases.domain.approval.gate_standing import Standing, WhoCounts, in_words, standing, wanted, who_could
from releases.domain.approval.slots import ANYBODY, Slot
from releases.domain.lifecycle import StepStatus
from releases.domain.traffic import Transition
from releases.models import Approval, BrokenGlass, Decision, Service, Step
from releases.models import Policy as KeptPolicy
from releases.permissions import approvers, as_person
from releases.services.access.service_accounts import with_people_behind
from releases.services.approval.policies import combined, kept_policies
from releases.services.lifecycle import now

# Who has approved may be taken out of a group, lose a role, or leave: so much later at most others are asked again.
PEOPLE_CHANGE = timedelta(minutes=1)


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
class Gate(ABC):
    """What stands before a step; each part is read when it is asked for. ``kept`` is its policy, if it was read."""

    service: Service
    step: Step
    kept: tuple[KeptPolicy, ...] | None = None

    of_request = False
    """Whether it is the request that is approved, not a plan."""

    @property
    @abstractmethod
    def gate(self) -> gate_policy.Gate | None:
        """Whose rule of the policy counts; None where it asks for anybody."""

    @property
    @abstractmethod
    def is_needed(self) -> bool:
        """Whether an approval is needed."""

    @property
    @abstractmethod
    def identity(self) -> PlanIdentity | None:
        """What a decision is bound to; None where there is nothing to decide on yet."""

    @property
    @abstractmethod
    def covered(self) -> frozenset[str]:
        """The digests of which one has to have been approved."""

    @property
    @abstractmethod
    def decisions(self) -> list[Approval]:
        """All decisions at this gate that were not taken back, newest first."""

    @property
    @abstractmethod
    def elsewhere(self) -> frozenset[str]:
        """The ids of those whose approvals were given at other gates of the release."""

    @cached_property
    def _kept(self) -> tuple[KeptPolicy, ...]:
        return tuple(kept_policies(self.service)) if self.kept is None else self.kept

    @cached_property
    def policy(self) -> Policy:
        """The policy as it is now, and as it counts for those who asked for the step."""
        policy = combined(self._kept)
        is_own = bool(self.policy_makers) and bool(self.askers & self.policy_makers)
        return policy.for_its_makers() if is_own else policy

    @cached_property
    def policy_makers(self) -> frozenset[str]:
        """The ids of those who made what decides here, or changed it last: the environment's policy, or the own."""
        changed_by = (str(one.changed_by_id) for one in self._kept if one.changed_by_id)
        return frozenset(changed_by).union(*(one.makers.values() for one in self._kept))

    @cached_property
    def requesters(self) -> frozenset[str]:
        """The ids of those who asked for what the step does."""
        return requester_ids(self.step)

    @cached_property
    def changers(self) -> frozenset[str]:
        """The ids of those who changed the release last."""
        changed_by = self.step.release.changed_by_id if self.step.release else None
        return ids(with_people_behind({changed_by} if changed_by else ()))

    @property
    def askers(self) -> frozenset[str]:
        """Both: nobody of them decides alone on what they asked for."""
        return self.requesters | self.changers

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The places that have to be filled."""
        return self.policy.rule(self.gate).slots if self.gate else (ANYBODY,)

    @cached_property
    def approvers(self) -> dict[User, Person]:
        """Who may approve for this service, by name."""
        return approvers(self.service)

    @cached_property
    def who_counts(self) -> WhoCounts:
        """Whose approval counts here, as the policy has it."""
        return WhoCounts(
            four_eyes=self.policy.four_eyes,
            requester_ids=self.requesters,
            changer_ids=self.changers,
            elsewhere_ids=self.elsewhere if self.policy.one_gate_each else frozenset(),
        )

    @cached_property
    def given(self) -> tuple[Given, ...]:
        """The approvals since somebody rejected what stands here, newest first, each with whether it counts."""
        approvals = approved_since_rejection(self.decisions)
        if not approvals:
            return ()
        people = {account.pk: person for account, person in self.approvers.items()}
        moment = now()
        return tuple(self._given(one, people.get(one.decided_by_id), moment) for one in approvals)

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
        """Whether nothing is missing between what stands here and its going on."""
        return not self.is_needed or self.standing.is_open or self.broken is not None

    @cached_property
    def broken(self) -> BrokenGlass | None:
        """The broken glass that opens it instead of approvals, for as long as its person might break it."""
        glasses = BrokenGlass.objects.filter(
            step__release=self.step.release_id,
            changes_digest__in=self.covered,
            epoch=self.service.epoch,
            plan_run__isnull=self.of_request,
        )
        if not self.of_request:
            glasses = glasses.filter(step=self.step)
        last = glasses.select_related("broken_by").last() if self.policy.break_glass else None
        holds = last and still_holds(as_person(last.broken_by, self.service), self.policy.break_glass)
        return last if holds else None

    @property
    def answer(self) -> Answer:
        """Whether the approvals let it go on, or why not."""
        if self.standing.is_open or self.broken:
            return Allowed()
        if self.given and not self.counted:
            return self.given[0].answer
        what = "The release's request" if self.of_request else "This step"
        if self.slots == (ANYBODY,):
            return Refused("approval:missing", f"{what} waits for an approval.")
        return Refused("approval:missing", f"{what} waits for an approval, {self.words}.")

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
        """The groups and roles of which somebody is missing; none where it is open."""
        return [] if self.is_open else sorted(wanted(self.slots, self.counted))

    @property
    def waits_until(self) -> datetime | None:
        """When the wait for those who are missing becomes too long; None where it never does."""
        seconds = self.policy.wait_seconds
        return self.step.asked_at + timedelta(seconds=seconds) if seconds and self.step.asked_at else None

    @property
    def look_again_at(self) -> datetime | None:
        """When the gate may stand otherwise though nobody does anything here: by the time, or as people change."""
        ends = [one.good_until for one in self.given if one.counts]
        people_change = now() + PEOPLE_CHANGE if self.given else None
        return min((end for end in (*ends, self.waits_until, people_change) if end), default=None)

    @cached_property
    def frozen(self) -> Frozen | None:
        """Whether nothing begins now, and until when; what takes users off the candidate always may."""
        if self.step.transition == Transition.ROLLBACK or self.lowers:
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
            of_request=self.of_request,
        )

    @property
    def is_unasked(self) -> bool:
        """A lower share, or an address that is added to a canary which is on: neither waits for anybody."""
        step = self.step
        added = step.transition == Transition.CANARY and step.requested_by_id is not None and not step.gate
        return added or self.lowers

    @property
    def lowers(self) -> bool:
        """Whether the step takes users off the candidate."""
        return lowers(self.service.state, Transition(self.step.transition), self.step.candidate_share)

    def good_until(self, approval: Approval) -> datetime | None:
        """When an approval becomes too old; None where it never does."""
        seconds = self.policy.approval_seconds
        return approval.decided_at + timedelta(seconds=seconds) if seconds else None

    def _decided(self) -> str:
        last = next(iter(self.given), None)
        if last is not None and self.standing.is_open:
            return _said(last.approval)
        if self.broken:
            return f"{self.broken.broken_by.username} broke the glass on {self.broken.broken_at:%d %B at %H:%M} UTC."
        newest = next(iter(self.decisions), None) if self.step.status == StepStatus.REJECTED else None
        return _said(newest) if newest and newest.decision == Decision.REJECTED else ""

    def _given(self, approval: Approval, approver: Person | None, moment: datetime) -> Given:
        person = approver or Person(id=str(approval.decided_by_id), is_active=False)
        good_until = self.good_until(approval)
        answer = still_good(
            GivenApproval(
                approver=person,
                release_id=str(approval.step.release_id),
                step_id="" if self.of_request else str(approval.step_id),
                changes_digest=approval.changes_digest,
                epoch=approval.epoch,
                good_until=good_until,
            ),
            who_counts=self.who_counts,
            release_id=str(self.step.release_id),
            step_id="" if self.of_request else str(self.step.pk),
            changes_digests=self.covered,
            epoch=self.service.epoch,
            moment=moment,
        )
        return Given(approval=approval, person=person, answer=answer, good_until=good_until)


def approved_since_rejection(decisions: list[Approval]) -> list[Approval]:
    """The approvals of these, newest first, that no rejection came after."""
    return list(takewhile(lambda one: one.decision == Decision.APPROVED, decisions))


def requester_ids(step: Step) -> frozenset[str]:
    """Who asked for what the step does, with the people behind a program."""
    return ids(with_people_behind(accounts_that_asked(step)))


def accounts_that_asked(step: Step) -> set[int]:
    """The account that asked for the step's release, and the one that asked for the very step where one did."""
    asked = (step.release.requested_by_id if step.release else None, step.requested_by_id)
    return {one for one in asked if one is not None}


def ids(found: Iterable[object]) -> frozenset[str]:
    """Keys of accounts as the rules have them."""
    return frozenset(map(str, found))


def _said(approval: Approval) -> str:
    return (
        f"{approval.decided_by.username} {approval.decision} it on {approval.decided_at:%d %B at %H:%M} UTC."
    )
