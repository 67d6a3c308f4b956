"""Releasing a version of the history again."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from aws.errors import AwsError
from releases.domain.access.decisions import Refused
from releases.domain.acts import Act
from releases.domain.errors import InvalidRolloutPlan
from releases.domain.rollout_plan import PlannedStep
from releases.domain.tickets import InvalidTicket
from releases.forms.release import AgainForm
from releases.models import Release, Service
from releases.permissions import NotAllowed
from releases.services import facts
from releases.services.again import PastVersion, find_image, past_version, request_again, steps_again
from releases.services.requests import RequestRefused
from releases.views.lookups import find_service, signed_in
from releases.views.pages import service_context
from releases.views.shown.next_release import kept_version
from releases.views.shown.traffic import traffic_of


@require_http_methods(["GET", "HEAD", "POST"])
def release_again(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """What releasing the version of this release again would do, and the form; 0 is the version of the set-up."""
    service = find_service(request, name)
    past = _find(service, number)
    if request.method != "POST":
        return _page(request, service, past, AgainForm())
    form = AgainForm(request.POST)
    release = _request(request, service, number, form) if form.is_valid() else None
    if release is None:
        return _page(request, service, past, form, status=422)
    messages.success(request, f"{release} is requested: its first plan is being made.")
    return redirect("release-detail", name=service.name, number=release.number)


def _find(service: Service, number: int) -> PastVersion:
    try:
        return past_version(service, number)
    except Release.DoesNotExist as error:
        raise Http404 from error


def _request(request: HttpRequest, service: Service, number: int, form: AgainForm) -> Release | None:
    try:
        return request_again(
            service_id=service.pk, user=signed_in(request), number=number, **form.cleaned_data
        )
    except NotAllowed as error:
        raise PermissionDenied(error.message) from error
    except InvalidTicket as error:
        form.add_error("ticket", error.message)
    except (RequestRefused, InvalidRolloutPlan, AwsError) as error:
        form.add_error(None, error.message)
    return None


def _steps(service: Service, past: PastVersion) -> tuple[PlannedStep, ...] | Refused:
    """How it would go, or why it cannot now."""
    try:
        find_image(service, past)
        return steps_again(service, past)
    except (RequestRefused, InvalidRolloutPlan, AwsError) as error:
        return Refused(error.code, error.message)


def _page(
    request: HttpRequest, service: Service, past: PastVersion, form: forms.Form, status: int = 200
) -> HttpResponse:
    allowed = facts.possible_acts(signed_in(request), service)[Act.REQUEST]
    if isinstance(allowed, Refused) and allowed.code.startswith("person:"):
        raise PermissionDenied(allowed.reason)
    found = _steps(service, past)
    steps = () if isinstance(found, Refused) else found
    context = service_context(request, service) | {
        "form": form,
        "past": past,
        "serving": traffic_of(service).of(service.state.serving),
        "steps": steps,
        "may": found if allowed and isinstance(found, Refused) else allowed,
        "kept": kept_version(service, steps),
    }
    return render(request, "releases/release_again.html", context, status=status)
