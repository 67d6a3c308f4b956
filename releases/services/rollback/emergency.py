"""The emergency button: brings all traffic back to the safe colour from the web request itself; Terraform follows.

1. accept: permission, epoch, the intent in the trail, all within 200 ms of waiting for locks; else the press is written
   to a file of this machine, from which it is recorded as soon as that is possible;
2. the weights of all rules, by one ``ModifyRule`` each, and their reading back;
3. a guarded Terraform run that brings state and variables to what is real.

A run in flight is told to stop, apart from one that only changes a function without traffic: it cannot move anybody,
and stopped half-way it would leave that function unpublished. What an apply that had passed its last check still moves
is set again by who watches (:mod:`releases.services.rollback.watches`), and by its worker when Terraform has ended.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections
from django.utils import timezone
from uuid_utils.compat import uuid7

from aws.errors import AwsError
from releases.domain.access.decisions import Person, Refused
from releases.domain.acts import NOTHING_TO_ROLL_BACK, may_roll_back
from releases.domain.errors import DomainError
from releases.domain.traffic import Color
from releases.models import EmergencyRollback, Service, Step
from releases.permissions import NotAllowed, as_person
from releases.selectors import rollbacks as rollback_selectors
from releases.services.execution.patience import DATABASE_AWAY, patient
from releases.services.facts import service_facts
from releases.services.lifecycle import way_in
from releases.services.rollback import kept_presses, rollbacks, safe_traffic
from releases.services.rollback.kept_presses import Pressing
from releases.services.rollback.safe_traffic import SafeTraffic

logger = logging.getLogger(__name__)

WAITS = "The workers set the rules as soon as the database takes the press."
# Each needs a connection to the database for a moment; a process has twenty.
AT_ONCE = 8


class NothingToRollBack(DomainError):
    """All traffic is on the safe colour already, and no release is open."""


def roll_back(*, service_id: UUID, user: User) -> EmergencyRollback:
    """Bring all users back to the safe colour, now; a second press joins the rollback that is going on.

    Raises ``NotAllowed``, and ``NothingToRollBack``. An AWS error does not raise: it is in the result's ``problem``;
    except where the records see nothing to roll back and AWS cannot be asked: then ``AwsError``. What the database
    could not take in time is not saved (``is_recorded``).
    """
    service = Service.objects.get(pk=service_id)
    refuse_unless_allowed(service, as_person(user, service))
    return press(pressing_of(service, user.get_username(), user_id=user.pk, via=way_in()))


def roll_back_all(services: Sequence[Service], user: User) -> tuple[UUID, list[str]]:
    """Press for each of these services, several at the same time: what the presses have in common, and who was refused.

    Each service's rights, and its refusal, are its own.
    """
    batch = uuid7()
    with ThreadPoolExecutor(max_workers=AT_ONCE) as side_by_side:
        # A context each: what is known of this request goes into the events of all.
        asked = [
            side_by_side.submit(copy_context().run, _refusal, user, batch, service) for service in services
        ]
        return batch, [refusal for future in asked if (refusal := future.result())]


def pressing_of(service: Service, name: str, **given: Any) -> Pressing:
    """A press as of now, by somebody of this name; ``given`` are other fields of a :class:`Pressing`."""
    return Pressing(service_id=service.pk, traffic=SafeTraffic.of(service), name=name, **given)


def press(pressing: Pressing) -> EmergencyRollback:
    """The press of somebody who may: record it, or keep it for later, and bring the traffic back in any case."""
    try:
        rollback = rollbacks.record(pressing)
    except DATABASE_AWAY:
        logger.warning("the press for %s waits for the database in a file", pressing.traffic.service)
        kept_presses.keep(pressing)
        waits = rollbacks.is_left_to_workers(pressing)
        return _unrecorded(pressing, WAITS if waits else safe_traffic.bring_back(pressing.traffic))
    if rollbacks.is_left_to_workers(pressing):
        return rollback
    wanted = SafeTraffic.of(rollback.service, Color(rollback.safe_color))
    problem = safe_traffic.bring_back(wanted)
    try:
        return rollbacks.note_outcome(rollback, problem)
    except DATABASE_AWAY:
        logger.warning("what came of the press for %s is recorded by who watches", wanted.service)
        return rollback


def keep_traffic_back(step: Step) -> None:
    """After an apply: set the weights again if an emergency rollback came while Terraform was running.

    Not where a release has gone on since: then people want other weights.
    """
    service = Service.objects.get(pk=step.service_id)
    if service.epoch == step.epoch:
        return
    rollback = EmergencyRollback.objects.get(service=service, epoch=service.epoch)
    wanted = SafeTraffic.of(service, Color(rollback.safe_color))
    differs = safe_traffic.problem_read_back(wanted)
    if not differs or rollback_selectors.release_begun_since(rollback):
        return
    problem = safe_traffic.bring_back(wanted)
    patient(rollbacks.note_set_again)(rollback, problem)


def refuse_unless_allowed(service: Service, pressing: Person) -> None:
    """Asks AWS only where the records see no need: weights that somebody changed by hand are brought back too.

    Raises ``NotAllowed``, ``NothingToRollBack``, and ``AwsError``.
    """
    answer = may_roll_back(pressing, service_facts(service))
    asks_aws = not settings.BUTTON_BY_WORKER
    if asks_aws and isinstance(answer, Refused) and answer.code == NOTHING_TO_ROLL_BACK:
        differ = not safe_traffic.is_back(SafeTraffic.of(service))
        answer = may_roll_back(pressing, service_facts(service, rules_differ=differ))
    if isinstance(answer, Refused):
        kind = NotAllowed if answer.code.startswith("person:") else NothingToRollBack
        raise kind(answer.code, answer.reason)


def _refusal(user: User, batch: UUID, service: Service) -> str:
    try:
        refuse_unless_allowed(service, as_person(user, service))
        press(pressing_of(service, user.get_username(), user_id=user.pk, via=way_in(), batch=batch))
    except (DomainError, AwsError) as error:
        return f"{service.name}: {error.message}"
    finally:
        connections.close_all()
    return ""


def _unrecorded(pressing: Pressing, problem: str) -> EmergencyRollback:
    return EmergencyRollback(
        id=pressing.id,
        service_id=pressing.service_id,
        epoch=0,
        safe_color=pressing.traffic.safe_color,
        pressed_by_id=pressing.user_id,
        pressed_at=pressing.at,
        traffic_back_at=None if problem else timezone.now(),
        problem=problem,
    )
