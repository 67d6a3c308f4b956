"""The emergency button: a light page of its own."""

import json
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from aws.errors import AwsError
from releases import selectors
from releases.domain.access.decisions import Permission, Refused
from releases.domain.acts import NOTHING_TO_ROLL_BACK, Act
from releases.domain.traffic import Color
from releases.models import Readiness, Service
from releases.permissions import NotAllowed, holders
from releases.services import facts
from releases.services.rollback import emergency, fresh_looks
from releases.services.rollback.emergency import NothingToRollBack
from releases.services.rollback.safe_traffic import SafeTraffic
from releases.views.lookups import find_service, signed_in
from releases.views.shown.ready import other_side
from releases.views.shown.traffic import traffic_of
from terraform_runner import workers

# The page comes again so often, after so many seconds, for what a look that was begun has found.
MOST_LOOKS, LOOK_SECONDS = 3, 2
_LOOKS = frozenset(map(str, range(MOST_LOOKS)))


@require_http_methods(["GET", "HEAD", "POST"])
def rollback(request: HttpRequest, name: str) -> HttpResponse:
    """What the button will do, and the button; its press leads on to the moments after it."""
    service = find_service(request, name)
    if request.method != "POST":
        return _page(request, service)
    try:
        pressed = emergency.roll_back(service_id=service.pk, user=signed_in(request))
    except NotAllowed as error:
        raise PermissionDenied(error.message) from error
    except NothingToRollBack as error:
        return _page(request, service, problem=error.message, status=409)
    except AwsError as error:
        return _page(request, service, problem=error.message, status=502)
    return redirect("rollback-result", name=service.name, rollback_id=pressed.pk)


def _page(request: HttpRequest, service: Service, *, problem: str = "", status: int = 200) -> HttpResponse:
    answer = facts.possible_acts(signed_in(request), service)[Act.ROLL_BACK]
    context = _picture(service) | {
        "workers": workers.count_seen() if settings.BUTTON_BY_WORKER else None,
        "problem": problem,
        "refused": answer.reason if isinstance(answer, Refused) else "",
        "nothing": isinstance(answer, Refused) and answer.code == NOTHING_TO_ROLL_BACK,
        "going_on": selectors.rollback_going_on(service),
        "holders": holders(service, Permission.EMERGENCY),
    }
    if service.set_up_at is None:
        return render(request, "releases/rollback.html", context, status=status)
    context["look"] = _look(request, service, context["taking_over"].found)
    response = render(request, "releases/rollback.html", context, status=status)
    if context["look"] == "coming":
        response["Refresh"] = f"{LOOK_SECONDS}; url=?looked={_times_looked(request) + 1}"
    return response


def _look(request: HttpRequest, service: Service, found: Readiness | None) -> str:
    """Have the other side looked at beside this request, if that is due.

    "fresh": it is not; "coming": the page comes again by itself to show what is found; "late": it does not any more.
    """
    if fresh_looks.is_fresh(found):
        return "fresh"
    fresh_looks.want(service)
    may_come = request.method == "GET" and "hold" not in request.GET and _times_looked(request) < MOST_LOOKS
    return "coming" if may_come else "late"


def _times_looked(request: HttpRequest) -> int:
    """How often the page has come by itself, as its address says; as if often enough where that is no such number."""
    text = request.GET.get("looked", "0")
    return int(text) if text in _LOOKS else MOST_LOOKS


def _picture(service: Service) -> dict[str, Any]:
    """From where to where, and what is known of the other side."""
    if service.set_up_at is None:
        return {"service": service}
    safe = Color(service.safe_color)
    traffic = traffic_of(service)
    return {
        "service": service,
        "traffic": traffic,
        "to": traffic.of(safe),
        "away": traffic.of(safe.other),
        "stops_rotation": safe is service.state.candidate,
        "taking_over": other_side(service),
        "commands": commands(service, safe),
    }


def commands(service: Service, color: Color) -> tuple[str, ...]:
    """What a person with the AWS command line types to do the same."""
    groups = [
        {"TargetGroupArn": arn, "Weight": weight}
        for arn, weight in SafeTraffic.of(service, color).weights.items()
    ]
    actions = json.dumps(
        [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}], separators=(",", ":")
    )
    endpoint = f" --endpoint-url {settings.AWS_ENDPOINT_URL}" if settings.AWS_ENDPOINT_URL else ""
    return tuple(
        f"aws elbv2 modify-rule --region {service.region}{endpoint} --rule-arn {rule_arn} --actions '{actions}'"
        for rule_arn in service.rule_arns.values()
    )
