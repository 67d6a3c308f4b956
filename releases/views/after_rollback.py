"""The moments after the emergency button was pressed, and why it was."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from releases.domain.acts import Act, may_give_reason
from releases.domain.lifecycle import StepStatus
from releases.domain.traffic import Color
from releases.forms.release import RollbackReasonForm
from releases.models import EmergencyRollback, Service, TrafficCount
from releases.permissions import NotAllowed, as_person
from releases.refusals import NotTheirs
from releases.services import facts
from releases.services.rollback import following, kept_presses, reasons, safe_traffic
from releases.services.rollback.kept_presses import Pressing
from releases.services.rollback.reasons import ReasonMissing
from releases.views.lookups import find_rollback, find_service, signed_in
from releases.views.rollback import commands
from releases.views.shown.counted import counted_of
from releases.views.shown.traffic import traffic_of
from releases.views.shown.waiting import waiting_of
from releases.views.shown.words import step_status

REFRESH_SECONDS = 2
# When only the counts are waited for, which come after minutes.
COUNTS_SECONDS = 15
MOST_TRIES = 10


@require_safe
def rollback_result(request: HttpRequest, name: str, rollback_id: UUID) -> HttpResponse:
    """Accepted, traffic is back, Terraform agrees; the page comes again by itself until the last is known."""
    service = find_service(request, name)
    # Before the database is asked: in between it may be recorded, and its file removed.
    kept = kept_presses.find(rollback_id)
    if pressed := find_rollback(service, rollback_id):
        return _result(request, service, pressed)
    if kept and kept.service_id != service.pk:
        raise NotTheirs(f"It does not belong to the service {service.name}.")
    if kept:
        return _not_recorded_yet(request, service, kept)
    if not service.presses.filter(pk=rollback_id).exists():
        raise Http404
    messages.warning(
        request, "This press was recorded late: a release had gone on by then, so it ended nothing."
    )
    return redirect("service-detail", name=service.name)


@require_POST
def rollback_reason(request: HttpRequest, name: str, rollback_id: UUID) -> HttpResponse:
    """Take down why it was pressed."""
    service = find_service(request, name)
    pressed = find_rollback(service, rollback_id)
    if pressed is None:
        raise Http404
    form = RollbackReasonForm(request.POST)
    try:
        if form.is_valid():
            reasons.give_reason(pressed.pk, user=signed_in(request), reason=form.reason)
            return redirect("rollback-result", name=service.name, rollback_id=pressed.pk)
    except NotAllowed as error:
        raise PermissionDenied(error.message) from error
    except ReasonMissing as error:
        form.add_error(None, error.message)
    return _result(request, service, pressed, form=form, status=422)


def _result(
    request: HttpRequest,
    service: Service,
    pressed: EmergencyRollback,
    *,
    form: RollbackReasonForm | None = None,
    status: int = 200,
) -> HttpResponse:
    converge, user = pressed.converge, signed_in(request)
    going_on = converge.status not in {StepStatus.DONE, StepStatus.FAILED, StepStatus.ABANDONED}
    color, traffic = Color(pressed.safe_color), traffic_of(service)
    found = TrafficCount.objects.filter(rollback=pressed).first()
    counted = counted_of(pressed, found, to=traffic.of(color), away=traffic.of(color.other))
    comes_again = going_on or (counted is not None and not counted.is_final)
    refreshes = comes_again and "hold" not in request.GET and form is None
    context = {
        "service": service,
        "rollback": pressed,
        "seconds": _seconds_until_back(pressed),
        "presses": pressed.presses.all(),
        "tries": pressed.tries.order_by("-at")[:MOST_TRIES],
        "to": traffic.of(color),
        "counted": counted,
        "converge": step_status(converge),
        "agrees": converge.status == StepStatus.DONE,
        "failed": converge.status == StepStatus.FAILED,
        "tried_again": following.is_tried_again(pressed),
        "waiting": waiting_of(converge, user) if going_on else None,
        "refreshes": refreshes,
        "commands": commands(service, color) if pressed.problem else (),
        "form": form or RollbackReasonForm(),
        "may_give_reason": may_give_reason(as_person(user, service)),
        "may_go_forward": pressed.release and facts.possible_acts(user, service)[Act.REQUEST],
    }
    response = render(request, "releases/rollback_result.html", context, status=status)
    if refreshes:
        response["Refresh"] = str(REFRESH_SECONDS if going_on else COUNTS_SECONDS)
    return response


def _seconds_until_back(pressed: EmergencyRollback) -> float | None:
    return (pressed.traffic_back_at - pressed.pressed_at).total_seconds() if pressed.traffic_back_at else None


def _not_recorded_yet(request: HttpRequest, service: Service, kept: Pressing) -> HttpResponse:
    """A press that waits in a file until the database takes it; what came of it is read from the rules themselves."""
    problem = safe_traffic.problem_read_back(kept.traffic)
    color = Color(kept.traffic.safe_color)
    context = {
        "service": service,
        "kept": kept,
        "problem": problem,
        "to": traffic_of(service).of(color),
        "commands": commands(service, color) if problem else (),
    }
    response = render(request, "releases/rollback_kept.html", context)
    response["Refresh"] = str(REFRESH_SECONDS)
    return response
