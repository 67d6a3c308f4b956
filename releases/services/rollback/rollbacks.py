"""What the database holds of an emergency rollback: each function is one transaction, with its audit event.

None waits for a lock longer than the button may: then it raises ``OperationalError``, and is called again later.
"""

from datetime import timedelta

from django.conf import settings

from audit import events
from audit.events import Actor
from releases import push, selectors
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.domain.traffic import Color, Transition
from releases.models import EmergencyRollback, Press, Release, Service, Step, Watch
from releases.selectors import rollbacks as rollback_selectors
from releases.services import rollout
from releases.services.lifecycle import SYSTEM, change_release, change_step, locked, now, patient_for
from releases.services.rollback.kept_presses import Pressing
from terraform_runner import claims

LOCK_TIMEOUT_MS = 200
MOVES_NOBODY = frozenset({Transition.ROTATE_STABLE, Transition.ROTATE_CANDIDATE, Transition.SETTINGS})


def record(pressing: Pressing) -> EmergencyRollback:
    """Record a press as a rollback, or as one that joins. Raises ``OperationalError`` where that takes too long."""
    with locked(pressing.service_id, patience_ms=LOCK_TIMEOUT_MS) as service:
        return _join(service, pressing) or _begin(service, pressing)


def record_kept(pressing: Pressing) -> None:
    """Record what the database could not take at its time; once, however often it is called.

    A release that went on since then is not touched: people knew what they did. Raises ``OperationalError``.
    """
    with locked(pressing.service_id, patience_ms=LOCK_TIMEOUT_MS) as service:
        if Press.objects.filter(pk=pressing.id).exists():
            return
        if rollback_selectors.went_on(service, since=pressing.at):
            _note_press(service, pressing, None)
            events.record(
                actor=pressing.actor,
                action="rollback.told-late",
                service_id=str(service.pk),
                subject={"press": str(pressing.id)},
                after={"safe_color": pressing.traffic.safe_color, "pressed_at": pressing.at.isoformat()},
            )
            return
        if _join(service, pressing) is None:
            _begin(service, pressing)


def note_outcome(rollback: EmergencyRollback, problem: str) -> EmergencyRollback:
    """Record what has come of setting the rules: back, or the problem. Raises ``OperationalError``."""
    with locked(rollback.service_id, patience_ms=LOCK_TIMEOUT_MS) as service:
        moment = now()
        rollback = EmergencyRollback.objects.select_related("service").get(pk=rollback.pk)
        is_news = not problem or problem != rollback.problem
        rollback.problem = problem
        if problem:
            rollback.tries.create(at=moment, problem=problem)
        elif rollback.traffic_back_at is None:
            rollback.traffic_back_at = moment
            _note_traffic(service, rollback)
        rollback.save(update_fields=["problem", "traffic_back_at"])
        if is_news:
            action = "rollback.failed" if problem else "rollback.traffic-back"
            record_event(rollback, SYSTEM, action, reason=problem)
        rollout.advance(service)
    return rollback


def note_set_again(rollback: EmergencyRollback, problem: str) -> None:
    """Record that the rules were found changed after they had been brought back, and what came of setting them."""
    with patient_for(LOCK_TIMEOUT_MS):
        EmergencyRollback.objects.filter(pk=rollback.pk).update(set_again_at=now(), problem=problem)
        record_event(rollback, SYSTEM, "rollback.traffic-set-again", reason=problem)


def _join(service: Service, pressing: Pressing) -> EmergencyRollback | None:
    """The rollback that is going on, with this press; nobody else watches it from now on, unless this process dies."""
    rollback = selectors.rollback_going_on(service)
    if rollback:
        _note_press(service, pressing, rollback)
        record_event(rollback, pressing.actor, "rollback.joined")
        _watch(rollback, pressing)
    return rollback


def _begin(service: Service, pressing: Pressing) -> EmergencyRollback:
    service.epoch += 1
    service.save(update_fields=["epoch"])
    release = _release_taken_back(service)
    _stop_runs(service)
    _end_steps(service, pressing.actor)
    converge = Step.objects.create(
        service=service,
        transition=Transition.ROLLBACK.value,
        candidate_share=0 if service.safe_color == service.active_color else 100,
        started_by_id=pressing.user_id,
        started_at=now(),
    )
    rollback = EmergencyRollback.objects.create(
        id=pressing.id,
        service=service,
        release=release,
        epoch=service.epoch,
        safe_color=service.safe_color,
        pressed_by_id=pressing.user_id,
        pressed_at=now(),
        converge=converge,
    )
    _note_press(service, pressing, rollback)
    _watch(rollback, pressing)
    record_event(rollback, pressing.actor, "rollback.pressed")
    _end_releases(service, pressing.actor)
    return rollback


def _note_press(service: Service, pressing: Pressing, rollback: EmergencyRollback | None) -> None:
    Press.objects.create(
        id=pressing.id,
        service=service,
        rollback=rollback,
        name=pressing.name,
        via=pressing.via,
        pressed_at=pressing.at,
        batch=pressing.batch,
    )


def is_left_to_workers(pressing: Pressing) -> bool:
    """Whether this process may hold no AWS credentials; the command line has its own."""
    return settings.BUTTON_BY_WORKER and pressing.via != "command"


def _watch(rollback: EmergencyRollback, pressing: Pressing) -> None:
    """This process does it, or the first worker; another one takes it over when it is silent."""
    watch = {"watcher": claims.worker_name(), "seen_at": now(), "ended_at": None}
    if is_left_to_workers(pressing):
        watch |= {"watcher": "", "seen_at": now() - timedelta(minutes=1)}
    Watch.objects.update_or_create(rollback=rollback, defaults=watch)


def _release_taken_back(service: Service) -> Release | None:
    """The release whose version loses its users: the open one, else the promoted one."""
    return selectors.open_release(service) or _promoted_release(service)


def _promoted_release(service: Service) -> Release | None:
    """The promoted release whose version all users have, where the way back leads away from it."""
    state = service.state
    if state.candidate_share < 100 or service.safe_color == state.candidate.value:
        return None
    version = state.version_of(state.candidate)
    return service.releases.filter(
        status=ReleaseStatus.PROMOTED.value, image=version.image, configuration=dict(version.configuration)
    ).first()


def _end_releases(service: Service, actor: Actor) -> None:
    for release in filter(None, (selectors.open_release(service), _promoted_release(service))):
        change_release(release, ReleaseStatus.ROLLED_BACK, actor=actor, action="release.rolled-back")


def _end_steps(service: Service, actor: Actor) -> None:
    for step in selectors.unfinished_steps(service):
        change_step(step, StepStatus.ABANDONED, actor=actor, action="step.abandoned", ended_at=now())


def _stop_runs(service: Service) -> None:
    step = selectors.current_step(service)
    if step and step.status == StepStatus.APPLYING and step.transition in MOVES_NOBODY:
        return
    claims.request_cancel(workspace=str(service.pk), reason="an emergency rollback was pressed")


def _note_traffic(service: Service, rollback: EmergencyRollback) -> None:
    """The weights of all rules were read back, so they are recorded: nobody is sent to the other colour any more.

    That the canary's rules still match its addresses is Terraform's to put right.
    """
    color = Color(rollback.safe_color)
    if service.state.receives_traffic(color.other):
        setattr(service, f"{color.other.value}_traffic_ended_at", rollback.traffic_back_at)
        service.promoted_at = None
    service.green_weight = 100 if color is Color.GREEN else 0
    service.activate_canary = False
    service.active_canary_addresses = []
    service.save(
        update_fields=[
            *("green_weight", "activate_canary", "active_canary_addresses", "promoted_at"),
            *("blue_traffic_ended_at", "green_traffic_ended_at"),
        ]
    )


def record_event(rollback: EmergencyRollback, actor: Actor, action: str, reason: str = "") -> None:
    """Put an event about a rollback into the trail, and push it to the pages."""
    events.record(
        actor=actor,
        action=action,
        service_id=str(rollback.service_id),
        subject={"rollback": str(rollback.pk), "release": str(rollback.release_id or "")},
        after={"safe_color": rollback.safe_color, "epoch": rollback.epoch},
        reason=reason,
    )
    push.service_changed(rollback.service_id)
