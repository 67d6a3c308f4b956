"""What becomes of a gate that has waited for too long: the sweep looks, and the policy says."""

from uuid import UUID

from releases import selectors
from releases.domain.approval.gate_policy import AfterWait
from releases.domain.lifecycle import ReleaseStatus
from releases.domain.traffic import Transition
from releases.models import Release, Service, Step
from releases.services.approval import gates
from releases.services.approval.gate import Gate
from releases.services.endings import abandon_own_steps, cancel_release
from releases.services.lifecycle import SYSTEM, change_release, locked, now, record
from releases.services.rollback import emergency

REASON = "Its gate has waited for too long."


def look_again(service_id: UUID) -> None:
    """Note anew who is missing at the service's gates, and end a wait that was too long; once, however often called."""
    with locked(service_id) as service:
        step = selectors.waiting_step(service)
        rolls_back = step is not None and _look_again(service, step)
    if rolls_back:
        emergency.press(emergency.pressing_of(service, SYSTEM.name, via=SYSTEM.via))


def _look_again(service: Service, step: Step) -> bool:
    """Gives whether everyone has to be brought back: that is done when the service's row is free again."""
    gate = gates.ask(service, step)
    if gate is None or step.transition == Transition.SET_UP:
        return False
    if gate.waits_until is None or gate.waits_until > now():
        return False
    # Should this process die now, a wait begins anew: never is one ended twice.
    Step.objects.filter(pk=step.pk).update(asked_at=None, look_again_at=None)
    record(
        service,
        step,
        actor=SYSTEM,
        action="gate.waited-too-long",
        after={"then": gate.policy.after_wait.value},
        reason=gate.words,
    )
    if step.release is None:
        return _end_own(service, gate)
    return _end(service, step.release, gate.policy.after_wait)


def _end_own(service: Service, gate: Gate) -> bool:
    if gate.policy.after_wait is not AfterWait.HOLD:
        abandon_own_steps(service, actor=SYSTEM, action="step.cancelled", reason=REASON)
    return False


def _end(service: Service, release: Release, after_wait: AfterWait) -> bool:
    was_sent = selectors.somebody_was_sent(release)
    if after_wait is AfterWait.ROLL_BACK and was_sent:
        return True
    if after_wait is AfterWait.HOLD or was_sent:
        change_release(release, ReleaseStatus.PAUSED, actor=SYSTEM, action="release.paused", reason=REASON)
    else:
        cancel_release(service, release, actor=SYSTEM, reason=REASON)
    return False
