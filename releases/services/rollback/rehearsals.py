"""Rehearses the emergency button: whether each part works, whether every right suffices, and how long it takes.

Nobody is moved: each rule is sent the weights that it has. While that is done the service is held, so that no apply can
begin in between; a press goes on all the same, by its file, and is watched.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from celery import current_app
from django.conf import settings
from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError
from kombu.exceptions import OperationalError as BrokerError

from audit import events
from aws import functions, load_balancer
from aws.accounts import Purpose
from aws.errors import AwsError
from releases import dispatch, push, selectors
from releases.domain.access.decisions import Refused
from releases.domain.acts import may_rehearse
from releases.domain.errors import DomainError
from releases.domain.lifecycle import StepStatus
from releases.domain.traffic import Color
from releases.models import Rehearsal, Service
from releases.permissions import NotAllowed, as_person
from releases.services.execution import storage
from releases.services.execution.accounts import access, credentials_for_run
from releases.services.facts import service_facts
from releases.services.lifecycle import locked, now, person
from releases.services.rollback import kept_presses
from releases.services.rollback.rollbacks import LOCK_TIMEOUT_MS
from releases.services.rollback.safe_traffic import SafeTraffic
from terraform_runner import claims
from terraform_runner.domain.runs import Operation
from terraform_runner.errors import RunnerError
from terraform_runner.models import Run
from terraform_runner.objects import LocalObjects
from terraform_runner.state import STATE_FILE

_PROBLEMS = (AwsError, RunnerError, OSError, OperationalError, InterfaceError, BrokerError, DomainError)


class RehearsalRefused(DomainError):
    """Now is no time for it; the message says why."""


def rehearse(*, service_id: UUID, user: User) -> Rehearsal:
    """Do all that the button does without moving anybody; Terraform's plan is asked for, and there later.

    Raises ``NotAllowed`` and ``RehearsalRefused``.
    """
    service = Service.objects.get(pk=service_id)
    _refuse_unless_allowed(service, user)
    parts = [_part(what, act) for what, act in _acts(service)]
    with locked(service_id) as service:
        rehearsal = Rehearsal.objects.create(
            service=service, rehearsed_by=user, at=now(), parts=parts, plan_run=_ask_for_plan(service)
        )
        events.record(
            actor=person(user),
            action="rollback.rehearsed",
            service_id=str(service.pk),
            subject={"rehearsal": str(rehearsal.pk)},
            after={"milliseconds": round(1000 * rehearsal.seconds), "problems": rehearsal.problems},
            reason="; ".join(part["problem"] for part in parts if part["problem"]),
        )
        push.service_changed(service.pk)
    return rehearsal


def _ask_for_plan(service: Service) -> Run:
    """Terraform's part goes the way that a rollback's own goes: by the workers for what is urgent."""
    before = service.rehearsals.filter(plan_run__isnull=False).values_list("plan_run", flat=True).first()
    if before:
        claims.request_cancel(workspace=str(service.pk), reason="another rehearsal began", only=[before])
    run = claims.queue_run(workspace=str(service.pk), operation=Operation.PLAN, urgent=True)
    dispatch.send_run(run.pk, urgent=True)
    return run


def _refuse_unless_allowed(service: Service, user: User) -> None:
    answer = may_rehearse(as_person(user, service), service_facts(service))
    if isinstance(answer, Refused):
        kind = NotAllowed if answer.code.startswith("person:") else RehearsalRefused
        raise kind(answer.code, answer.reason)


def _acts(service: Service) -> Iterator[tuple[str, Callable[[], object]]]:
    wanted = SafeTraffic.of(service)
    yield "The database gives its locks in time", lambda: _lock(service)
    yield "A press can be written to a file of this machine", _write_a_file
    yield "The rules are read", lambda: _read_rules(wanted)
    yield "Each rule is sent the weights that it has, and read back", lambda: _send_the_same(service, wanted)
    for color in Color:
        name = service.blue_function_name if color is Color.BLUE else service.green_function_name
        yield (
            f"{color.value.capitalize()}'s function is read",
            partial(_read_function, service, name),
        )
    for purpose in (Purpose.READ, Purpose.WRITE):
        yield f"Terraform gets its rights to {purpose}", partial(_rights, service, purpose)
    yield "Terraform's state is there", lambda: _read_state(service)
    yield "The broker answers", _ask_the_broker


def _part(what: str, act: Callable[[], object]) -> dict[str, Any]:
    began, problem = time.monotonic(), ""
    try:
        act()
    except _PROBLEMS as error:
        problem = str(error) or type(error).__name__
    return {"what": what, "seconds": round(time.monotonic() - began, 3), "problem": problem}


def _lock(service: Service) -> None:
    with locked(service.pk, patience_ms=LOCK_TIMEOUT_MS):
        pass


def _write_a_file() -> None:
    folder = LocalObjects(settings.DATA_DIR / kept_presses.FOLDER)
    folder.put("rehearsal", b"written and removed")
    folder.remove("rehearsal")


def _read_rules(wanted: SafeTraffic) -> dict[str, load_balancer.Rule]:
    return load_balancer.read_rules(access(wanted, Purpose.EMERGENCY), wanted.rule_arns)


def _send_the_same(service: Service, wanted: SafeTraffic) -> None:
    with locked(service.pk, patience_ms=LOCK_TIMEOUT_MS) as held:
        step = selectors.current_step(held)
        if step is not None and step.status == StepStatus.APPLYING:
            raise RehearsalRefused("rehearsal:applying", "An apply had begun meanwhile: nothing was sent.")
        before = _read_rules(wanted)
        for arn, rule in before.items():
            load_balancer.set_weights(access(wanted, Purpose.EMERGENCY), arn, rule.weights)
        after = _read_rules(wanted)
    if [rule.weights for rule in before.values()] != [after[arn].weights for arn in before]:
        raise RehearsalRefused("rehearsal:differs", "AWS reads back other weights than were sent.")


def _read_function(service: Service, name: str) -> None:
    functions.read_function(access(service), name)


def _rights(service: Service, purpose: Purpose) -> None:
    credentials_for_run(service, purpose, uuid4())


def _read_state(service: Service) -> None:
    if storage.objects(f"state/{service.pk}").get(STATE_FILE) is None:
        raise RehearsalRefused("rehearsal:no-state", "There is no state where Terraform keeps it.")


def _ask_the_broker() -> None:
    with current_app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, timeout=2)
