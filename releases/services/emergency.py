"""The emergency button: brings all traffic back to the safe colour from the web request itself; Terraform follows.

1. accept: permission, epoch, the intent in the trail (200 ms to get the service's lock, else the traffic goes first);
2. the weights of all rules, by one ``ModifyRule`` each, and their reading back;
3. a guarded Terraform run that brings state and variables to what is real.

A run in flight is told to stop, apart from one that only changes a function without traffic: it cannot move anybody,
and stopped half-way it would leave that function unpublished. Had an apply passed its last check, the worker sets the
weights again when Terraform has ended (:func:`keep_traffic_back`).
"""

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import UUID

from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction

from audit import events
from audit.events import Actor
from aws import load_balancer
from aws.accounts import Purpose
from aws.errors import AwsError
from aws.session import Access
from releases import push, selectors
from releases.domain.acts import NOTHING_TO_ROLL_BACK, may_roll_back
from releases.domain.decisions import Refused
from releases.domain.errors import DomainError
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.domain.traffic import NOBODY, Color, Transition
from releases.models import EmergencyRollback, Release, Service, Step
from releases.permissions import NotAllowed, as_person
from releases.services import rollout
from releases.services.accounts import access
from releases.services.facts import service_facts
from releases.services.lifecycle import SYSTEM, change_release, change_step, locked, now, person
from terraform_runner import claims

logger = logging.getLogger(__name__)

LOCK_TIMEOUT_MS = 200
PATIENT_LOCK_TIMEOUT_MS = 5000
MOVES_NOBODY = frozenset({Transition.ROTATE_STABLE, Transition.ROTATE_CANDIDATE, Transition.SETTINGS})


class NothingToRollBack(DomainError):
    """All traffic is on the safe colour already, and no release is open."""


def roll_back(*, service_id: UUID, user: User, via: str = "page") -> EmergencyRollback:
    """Bring all users back to the safe colour, now; a second press joins the rollback that is going on.

    Raises ``NotAllowed``, and ``NothingToRollBack``. An AWS error does not raise: it is in the result's ``problem``;
    except where the records see nothing to roll back and AWS cannot be asked: then ``AwsError``.
    """
    service = Service.objects.get(pk=service_id)
    _refuse_unless_allowed(service, user)
    actor = person(user, via)
    try:
        rollback = _accept(service_id, user, actor, lock_timeout_ms=LOCK_TIMEOUT_MS)
    except OperationalError:
        logger.warning(
            "service %s is locked by somebody: its traffic goes back before the records", service.name
        )
        _try_to_set_traffic(service, Color(service.safe_color))
        rollback = _accept(service_id, user, actor, lock_timeout_ms=PATIENT_LOCK_TIMEOUT_MS)
    return _bring_back(rollback, actor)


def keep_traffic_back(step: Step) -> None:
    """After an apply: set the weights again if an emergency rollback came while Terraform was running."""
    service = Service.objects.get(pk=step.service_id)
    if service.epoch == step.epoch:
        return
    rollback = EmergencyRollback.objects.get(service=service, epoch=service.epoch)
    color = Color(rollback.safe_color)
    if not _problem_read_back(service, color):
        return
    problem = _try_to_set_traffic(service, color)
    with locked(service.pk):
        EmergencyRollback.objects.filter(pk=rollback.pk).update(set_again_at=now(), problem=problem)
        _record(rollback, SYSTEM, "rollback.traffic-set-again", reason=problem)


def all_on(service: Service, color: Color) -> dict[str, int]:
    """The weights of both target groups, by ARN, with all users on one colour."""
    return {service.target_group_arn(color): 100, service.target_group_arn(color.other): 0}


def _refuse_unless_allowed(service: Service, user: User) -> None:
    """Asks AWS only where the records see no need: weights that somebody changed by hand are brought back too."""
    pressing = as_person(user, service)
    answer = may_roll_back(pressing, service_facts(service))
    if isinstance(answer, Refused) and answer.code == NOTHING_TO_ROLL_BACK:
        differ = not _is_back(service, Color(service.safe_color))
        answer = may_roll_back(pressing, service_facts(service, rules_differ=differ))
    if isinstance(answer, Refused):
        kind = NotAllowed if answer.code.startswith("person:") else NothingToRollBack
        raise kind(answer.code, answer.reason)


def _accept(service_id: UUID, user: User, actor: Actor, *, lock_timeout_ms: int) -> EmergencyRollback:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{lock_timeout_ms:d}ms'")
        service = Service.objects.select_for_update().get(pk=service_id)
        going_on = selectors.rollback_going_on(service)
        if going_on:
            _record(going_on, actor, "rollback.joined")
            return going_on
        return _begin(service, user, actor)


def _begin(service: Service, user: User, actor: Actor) -> EmergencyRollback:
    service.epoch += 1
    service.save(update_fields=["epoch"])
    release = _release_taken_back(service)
    _stop_runs(service)
    _end_steps(service, actor)
    converge = Step.objects.create(
        service=service,
        transition=Transition.ROLLBACK.value,
        candidate_share=0 if service.safe_color == service.active_color else 100,
        started_by=user,
        started_at=now(),
    )
    rollback = EmergencyRollback.objects.create(
        service=service,
        release=release,
        epoch=service.epoch,
        safe_color=service.safe_color,
        pressed_by=user,
        pressed_at=now(),
        converge=converge,
    )
    _record(rollback, actor, "rollback.pressed")
    _end_releases(service, actor)
    return rollback


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


def _bring_back(rollback: EmergencyRollback, actor: Actor) -> EmergencyRollback:
    problem = _try_to_set_traffic(rollback.service, Color(rollback.safe_color))
    with locked(rollback.service_id) as service:
        moment = now()
        rollback = EmergencyRollback.objects.get(pk=rollback.pk)
        rollback.problem = problem
        if not problem and rollback.traffic_back_at is None:
            rollback.traffic_back_at = moment
            _note_traffic(service, rollback)
        rollback.save(update_fields=["problem", "traffic_back_at"])
        _record(rollback, actor, "rollback.failed" if problem else "rollback.traffic-back", reason=problem)
        rollout.advance(service, actor=actor)
    return rollback


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


def _try_to_set_traffic(service: Service, color: Color) -> str:
    """Set all rules and read them back; gives the problem in words, empty when all traffic is back.

    The users' rule first, then the canary's, of which there may be many, side by side. One that cannot be set does not
    keep the others from it, unless AWS does not answer at all.
    """
    reach, weights = access(service, Purpose.EMERGENCY), all_on(service, color)
    set_rule = partial(_problem_setting, reach, weights)
    problem = set_rule(service.traffic_rule_arn)
    if problem is None or problem.code != "aws:unreachable":
        canary = list(service.canary_rule_arns.values())
        with ThreadPoolExecutor(max_workers=len(canary)) as side_by_side:
            problems = [problem, *side_by_side.map(set_rule, canary)]
        problem = next(filter(None, problems), None)
    return str(problem) if problem else _problem_read_back(service, color)


def _problem_setting(reach: Access, weights: Mapping[str, int], rule_arn: str) -> AwsError | None:
    try:
        load_balancer.set_weights(reach, rule_arn, weights)
    except AwsError as error:
        logger.exception("the rule %s could not be set", rule_arn)
        return error
    return None


def _problem_read_back(service: Service, color: Color) -> str:
    try:
        is_back = _is_back(service, color)
    except AwsError as error:
        logger.exception("the rules of %s could not be read back", service.name)
        return str(error)
    return "" if is_back else "The rules were set, but AWS reads back other weights: press again."


def _is_back(service: Service, color: Color) -> bool:
    """Whether nobody is sent anywhere but to this colour, by weight or by an earlier visit.

    A rule of the canary without addresses sends nobody.
    """
    reach = access(service, Purpose.EMERGENCY)
    rules = load_balancer.read_rules(reach, list(service.rule_arns.values()))
    traffic = rules.pop(service.traffic_rule_arn)
    wanted = all_on(service, color)
    return (
        traffic.weights == wanted
        and not traffic.stickiness_seconds
        and all(rule.weights == wanted or rule.source_ips == {NOBODY} for rule in rules.values())
    )


def _record(rollback: EmergencyRollback, actor: Actor, action: str, reason: str = "") -> None:
    events.record(
        actor=actor,
        action=action,
        service_id=str(rollback.service_id),
        subject={"rollback": str(rollback.pk), "release": str(rollback.release_id or "")},
        after={"safe_color": rollback.safe_color, "epoch": rollback.epoch},
        reason=reason,
    )
    push.service_changed(rollback.service_id)
