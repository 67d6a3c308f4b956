"""The only writer of a release's or a step's status.

Each change is a compare-and-set with its audit event and its push in the caller's transaction; which changes there are
is the table in ``releases.domain.lifecycle``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from audit import events
from audit.context import current
from audit.events import Actor
from releases import push
from releases.domain.errors import IllegalChange
from releases.domain.lifecycle import (
    OPEN_STATUSES,
    ReleaseStatus,
    StepStatus,
    check_release_change,
    check_step_change,
)
from releases.domain.messaging.messages import MessageKind
from releases.domain.versions.environment import hide
from releases.models import Release, Service, Step
from releases.services.execution.patience import Overtaken, is_lost
from releases.services.messaging.telling import tell

SYSTEM = Actor(id="", name="Bluegreen", via="worker")


def person(user: User) -> Actor:
    """Whoever signed in, on a page or by a token, as the trail names them."""
    return Actor(id=str(user.pk), name=user.get_username(), via=way_in())


def way_in() -> str:
    """By which of the ways in the present request came: by a token, or else on a page."""
    return "token" if "token_id" in current() else "page"


@contextmanager
def locked(service_id: UUID, *, patience_ms: int | None = None) -> Iterator[Service]:
    """A transaction that holds the service's row: whatever changes a service, its releases or steps happens in one.

    Raises ``Overtaken`` where it was taken back because of a deadlock. With ``patience_ms`` it raises
    ``OperationalError`` where any of its locks cannot be had by then.
    """
    try:
        with patient_for(patience_ms) if patience_ms is not None else transaction.atomic():
            yield Service.objects.select_for_update().get(pk=service_id)
    except OperationalError as error:
        if is_lost(error) and patience_ms is None:
            raise Overtaken("service:faster", "Someone was faster. Look at it again.") from error
        raise


@contextmanager
def patient_for(milliseconds: int) -> Iterator[None]:
    """A transaction that raises ``OperationalError`` where any of its locks cannot be had by then."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{milliseconds:d}ms'")
        yield


def now() -> datetime:
    """The database's clock: all machines agree on it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    moment: datetime = row[0] if row else timezone.now()
    return moment


@transaction.atomic
def change_step(
    step: Step, to: StepStatus, *, actor: Actor, action: str, reason: str = "", **columns: Any
) -> None:
    """Bring a step to another status, with its columns; raises ``IllegalChange`` when someone was faster."""
    old = StepStatus(step.status)
    check_step_change(old, to)
    before = {"status": old.value, **{name: _plain(getattr(step, name)) for name in columns}}
    changed = Step.objects.filter(pk=step.pk, status=old.value).update(status=to.value, **columns)
    if changed != 1:
        raise IllegalChange(
            "step:faster", "Someone was faster: this step has changed meanwhile. Look at it again."
        )
    step.status = to.value
    for name, value in columns.items():
        setattr(step, name, value)
    after = {"status": to.value, **{name: _plain(value) for name, value in columns.items()}}
    record(step.service, step, actor=actor, action=action, before=before, after=after, reason=reason)
    if to is StepStatus.FAILED:
        tell(MessageKind.FAILED, step.service, step=step, actor=actor, reason=reason)


@transaction.atomic
def change_release(
    release: Release, to: ReleaseStatus, *, actor: Actor, action: str, reason: str = ""
) -> None:
    """Pause, resume or end a release; raises ``IllegalChange`` when someone was faster."""
    old, moment = ReleaseStatus(release.status), now()
    check_release_change(old, to)
    changed = Release.objects.filter(pk=release.pk, status=old.value).update(
        status=to.value,
        paused_at=moment if to is ReleaseStatus.PAUSED else None,
        ended_at=None if to in OPEN_STATUSES else moment,
    )
    if changed != 1:
        raise IllegalChange(
            "release:faster", "Someone was faster: this release has changed meanwhile. Look at it again."
        )
    release.status = to.value
    record_release(
        release,
        actor=actor,
        action=action,
        before={"status": old.value},
        after={"status": to.value},
        reason=reason,
    )
    if to is ReleaseStatus.ROLLED_BACK:
        tell(MessageKind.ROLLED_BACK, release.service, release=release, actor=actor, reason=reason)


def record_release(
    release: Release,
    *,
    actor: Actor,
    action: str,
    before: dict[str, Any],
    after: dict[str, Any],
    reason: str = "",
) -> None:
    """An audit event about a release, and the push that shows it."""
    events.record(
        actor=actor,
        action=action,
        service_id=str(release.service_id),
        subject={"release": str(release.pk), "number": release.number},
        before=before,
        after=after,
        reason=reason,
    )
    push.service_changed(release.service_id)


def record(
    service: Service,
    step: Step,
    *,
    actor: Actor,
    action: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> None:
    """An audit event about a step, and the push that shows it."""
    events.record(
        actor=actor,
        action=action,
        service_id=str(service.pk),
        subject={
            "step": str(step.pk),
            "transition": step.transition,
            "share": step.candidate_share,
            "release": str(step.release_id or ""),
        },
        before=before or {},
        after=after or {},
        reason=reason,
    )
    push.service_changed(service.pk)


def _plain(value: object) -> object:
    if isinstance(value, (dict, list)):
        return hide(value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    return str(getattr(value, "pk", value))
