"""The emergency button."""

from contextlib import suppress

from ninja import Router, Status

from releases.api.asked import RollbackIn
from releases.api.auth import ApiRequest
from releases.api.found import service_of
from releases.api.idempotency import Key
from releases.api.shown import RollbackOut
from releases.models import EmergencyRollback
from releases.services.execution.patience import DATABASE_AWAY
from releases.services.rollback import emergency
from releases.services.rollback.reasons import give_reason

router = Router(tags=["rollback"])


@router.post(
    "/services/{slug:name}/rollback",
    response={200: RollbackOut, 202: RollbackOut},
    operation_id="roll_back",
    summary="Bring all users back, now",
    throttle=[],  # never too often
)
def roll_back(
    request: ApiRequest, name: str, body: RollbackIn | None = None, idempotency_key: Key = None
) -> Status[RollbackOut]:
    """Without an approval, the workers and the queue. 202: the press counts, and the traffic is not back yet."""
    service = service_of(request, name)
    rollback = emergency.roll_back(service_id=service.pk, user=request.caller.user)
    if body and body.reason.strip():
        _say_why(request, rollback, body.reason)
    return Status(200 if rollback.traffic_back_at else 202, _shown(rollback))


def _say_why(request: ApiRequest, rollback: EmergencyRollback, reason: str) -> None:
    """The button has been pressed: a reason that cannot be recorded is asked for before the next release."""
    with suppress(EmergencyRollback.DoesNotExist, *DATABASE_AWAY):
        give_reason(rollback.pk, user=request.caller.user, reason=reason)


def _shown(rollback: EmergencyRollback) -> RollbackOut:
    return RollbackOut(
        id=rollback.pk,
        safe_color=rollback.safe_color,
        pressed_at=rollback.pressed_at,
        traffic_back_at=rollback.traffic_back_at,
        problem=rollback.problem,
    )
