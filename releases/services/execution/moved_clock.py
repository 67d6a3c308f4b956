"""When the database's clock was moved: bake times, settle times and rollback windows take as long as they would have.

Nothing of it becomes shorter, whatever was noted shortly before or after; so that several machines notice the same
move does no harm.
"""

from datetime import timedelta

from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Value
from django.db.models.expressions import Expression
from django.db.models.functions import Least, Now

from audit import events
from releases import push
from releases.domain.lifecycle import StepStatus
from releases.models import Service, Step
from releases.services.lifecycle import SYSTEM

_SINCE = ("blue_traffic_ended_at", "green_traffic_ended_at", "promoted_at")


def go_on(jump_seconds: float) -> None:
    """Move what is waited for by as much, and note it with each service that waits for something."""
    forward = Value(timedelta(seconds=max(jump_seconds, 0)))
    for column in _SINCE:
        Service.objects.filter(**{f"{column}__isnull": False}).update(
            **{column: Least(F(column) + forward, Now())}
        )
    baking = Step.objects.filter(status=StepStatus.BAKING.value)
    baking.update(bake_until=Least(F("bake_until") + forward, _whole_bake()))
    waiting = Step.objects.filter(
        release__isnull=False, status__in=[StepStatus.BAKING.value, StepStatus.PENDING.value]
    )
    for service in Service.objects.filter(pk__in=waiting.values("service")):
        events.record(
            actor=SYSTEM,
            action="service.clock-moved",
            service_id=str(service.pk),
            subject={"service": service.name},
            after={"seconds": round(jump_seconds)},
            reason=f"By {jump_seconds:+.0f} s. Bake and settle times go on; runs are taken over a lease later.",
        )
        push.service_changed(service.pk)


def _whole_bake() -> Expression:
    seconds = ExpressionWrapper(F("bake_seconds") * Value(timedelta(seconds=1)), output_field=DurationField())
    return ExpressionWrapper(Now() + seconds, output_field=DateTimeField())
