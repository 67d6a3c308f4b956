"""What a person may do now to a service and its release, and why not: asked by pages and services alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from releases.domain import release_acts
from releases.domain.access.decisions import Allowed, Decision, Permission, Person, Refused, has_permission
from releases.domain.approval.approval_policy import GateFacts, PlanIdentity, may_approve, may_reject
from releases.domain.lifecycle import StepStatus
from releases.domain.release_acts import ReleaseFacts
from releases.domain.traffic import Color, TrafficState, is_safe


class Act(StrEnum):
    """What people do."""

    REQUEST = "request"
    START = "start"
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    ROLL_BACK = "roll_back"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"
    SKIP = "skip"
    SKIP_BAKE = "skip_bake"
    CANCEL = "cancel"
    SET_SHARE = "set_share"
    ADD_ADDRESS = "add_address"
    SEE_TRAIL = "see_trail"


@dataclass(frozen=True, kw_only=True)
class ServiceFacts:
    """A service as it is now.

    `state` is the recorded one, None until the set-up is done. `rules_differ`: the rules at AWS are known
    to send traffic elsewhere than recorded. `converging`: a rollback is done, Terraform doesn't agree yet.
    `busy` says what else goes on that belongs to no release, as a sentence.
    `reason_due`: nobody has said yet why the last rollback was pressed.
    `preparing`: a rotation goes on, or has failed, ahead of the release that it is for.
    """

    state: TrafficState | None
    safe_color: Color
    release_open: bool
    converging: bool
    rules_differ: bool
    preparing: bool = False
    reason_due: bool = False
    busy: str = ""


@dataclass(frozen=True, kw_only=True)
class StepFacts:
    """The step that a release has arrived at, or the next one while that one bakes.

    `gate` says whether an approval is needed, `at_gate` how that stands, `approval` whether the plan may be applied by
    what was approved, `approved_by` whose approval that is, by their ids. `used`: its plan's apply has begun.
    """

    status: StepStatus
    gate: bool
    started: bool
    plan: PlanIdentity | None
    approval: Decision
    at_gate: GateFacts = field(default_factory=GateFacts)
    approved_by: frozenset[str] = frozenset()
    used: bool = False
    automatic: bool = False
    paused: bool = False


REASON_DUE = "act:reason-due"
NOTHING_TO_ROLL_BACK = "act:nothing-to-roll-back"

_NO_STEP = Refused("act:no-step", "No release is open.")
_NOT_SET_UP = Refused("act:not-set-up", "The service is not set up yet.")

_NOT_STARTABLE = {
    StepStatus.APPLYING: "It is running.",
    StepStatus.BAKING: "It is done; its bake time runs.",
    StepStatus.DONE: "It is done.",
    StepStatus.FAILED: "It failed: try it again, or roll back.",
    StepStatus.REJECTED: "It was rejected: ask again, or roll back.",
    StepStatus.SKIPPED: "It was skipped.",
    StepStatus.ABANDONED: "It ended with its release.",
}


_ON_RELEASE: Mapping[Act, Callable[[Person, ReleaseFacts], Decision]] = {
    Act.PAUSE: release_acts.may_pause,
    Act.RESUME: release_acts.may_resume,
    Act.RETRY: release_acts.may_retry,
    Act.SKIP: release_acts.may_skip,
    Act.SKIP_BAKE: release_acts.may_skip_bake,
    Act.CANCEL: release_acts.may_cancel,
    Act.SET_SHARE: release_acts.may_set_share,
    Act.ADD_ADDRESS: release_acts.may_add_address,
}


def possible_acts(
    person: Person, service: ServiceFacts, step: StepFacts | None, release: ReleaseFacts | None = None
) -> dict[Act, Decision]:
    """For each act whether this person may do it now; `step` and `release` are None while no release is open."""
    on_release = {act: may(person, release) if release else _NO_STEP for act, may in _ON_RELEASE.items()}
    return {
        **on_release,
        Act.REQUEST: may_request(person, service),
        Act.START: _NO_STEP if step is None else may_start(person, step),
        Act.APPROVE: _NO_STEP if step is None else may_decide(person, step),
        Act.REJECT: _NO_STEP if step is None else may_refuse(person, step),
        Act.WITHDRAW: _NO_STEP if step is None else may_withdraw(person, step),
        Act.ROLL_BACK: may_roll_back(person, service),
        Act.SEE_TRAIL: has_permission(person, Permission.AUDIT),
    }


def may_request(person: Person, service: ServiceFacts) -> Decision:
    """Whether this person may request a release of this service now."""
    permitted = has_permission(person, Permission.REQUEST)
    return may_begin(service) if permitted else permitted


def may_begin(service: ServiceFacts) -> Decision:
    """Whether a release, or what is done ahead of one, may begin now, whoever asks for it."""
    if service.state is None:
        return _NOT_SET_UP
    if service.release_open:
        return Refused("act:release-open", "A release is open: it has to end first.")
    if service.preparing:
        return Refused("act:preparing", "The next release is being prepared: that has to end first.")
    if service.busy:
        return Refused("act:busy", service.busy)
    if service.converging:
        return Refused("act:converging", "A rollback is being finished: Terraform does not agree yet.")
    if service.reason_due:
        return Refused(REASON_DUE, "First say why the last rollback was pressed: the rollback's page asks.")
    if not any(is_safe(service.state, color) for color in Color):
        return Refused("act:split", "Some users or the canary are on the candidate: roll back first.")
    return Allowed()


def may_decide(person: Person, step: StepFacts) -> Decision:
    """Whether this person may approve the plan that this step has now."""
    return may_approve(
        person,
        facts=step.at_gate,
        step_status=step.status,
        gate=step.gate,
        plan=step.plan,
        shown=step.plan,
    )


def may_refuse(person: Person, step: StepFacts) -> Decision:
    """Whether this person may reject the plan that this step has now."""
    return may_reject(
        person,
        facts=step.at_gate,
        step_status=step.status,
        gate=step.gate,
        plan=step.plan,
        shown=step.plan,
    )


def may_withdraw(person: Person, step: StepFacts) -> Decision:
    """Whether this person may take their approval back: until the apply has begun."""
    permitted = has_permission(person, Permission.APPROVE)
    if not permitted:
        return permitted
    if person.id not in step.approved_by:
        return Refused("approval:not-yours", "No approval of yours counts here.")
    if step.used:
        return Refused("approval:used", "It was used already: its apply has begun.")
    return Allowed()


def may_start(person: Person, step: StepFacts) -> Decision:
    """Whether this person may let this step go on.

    That may be said before its plan is there or approved: the apply waits for all three.
    """
    permitted = has_permission(person, Permission.OPERATE)
    if not permitted:
        return permitted
    if step.status in _NOT_STARTABLE:
        return Refused("act:not-startable", _NOT_STARTABLE[step.status])
    if step.paused:
        return release_acts.PAUSED
    if step.started:
        return Refused("act:started", f"It is started already. {_waits_for(step)}")
    if step.automatic:
        return Refused("act:automatic", f"It starts by itself. {_waits_for(step)}")
    return Allowed()


def may_roll_back(person: Person, service: ServiceFacts) -> Decision:
    """Whether this person may press the button: no approval, no run and no doubt is ever in its way."""
    permitted = has_permission(person, Permission.EMERGENCY)
    if not permitted:
        return permitted
    if service.state is None:
        return _NOT_SET_UP
    unsettled = any((service.release_open, service.converging, service.preparing, service.rules_differ))
    if is_safe(service.state, service.safe_color) and not unsettled:
        return Refused(NOTHING_TO_ROLL_BACK, f"Everyone is on {service.safe_color} already.")
    return Allowed()


def may_rehearse(person: Person, service: ServiceFacts) -> Decision:
    """Whether this person may try the button out, with the weights that are there."""
    permitted = has_permission(person, Permission.EMERGENCY)
    if not permitted:
        return permitted
    if service.state is None:
        return _NOT_SET_UP
    if service.converging:
        return Refused("act:converging", "A rollback is being finished: this is no time for a rehearsal.")
    return Allowed()


def may_give_reason(person: Person) -> Decision:
    """Whether this person may say why a rollback was pressed: who may press, or wants the next release."""
    permitted = has_permission(person, Permission.EMERGENCY)
    return permitted or has_permission(person, Permission.REQUEST) or permitted


def _waits_for(step: StepFacts) -> str:
    if step.status is not StepStatus.WAITING and not step.at_gate.of_request:
        return "Its plan is being made."
    return (
        step.approval.reason if step.gate and isinstance(step.approval, Refused) else "It goes on by itself."
    )
