"""Setting up a service: the form, a look at the listener before anything is stored, and what is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from aws.listeners import Listener
from releases.domain.access.decisions import Permission, Refused
from releases.domain.errors import InvalidCanary
from releases.domain.provisioning.new_service import Identity
from releases.domain.versions.configuration import InvalidConfiguration
from releases.forms.configuration import ConfigurationForm
from releases.forms.new_service import NewServiceForm, Offered, like
from releases.models import Service
from releases.permissions import NotAllowed, services_with, visible_services
from releases.services.errors import FieldsInvalid
from releases.services.execution.accounts import account_ids
from releases.services.provisioning.listeners import ListenerPicture
from releases.services.provisioning.set_up_requests import find_listeners, look_at, request_set_up
from releases.views.lookups import find_service, signed_in
from releases.views.reader import reader_of
from releases.views.shown.new_service import groups, usual_fields

_NOWHERE = Identity(
    name="", family="", environment="", region="", account_id="", listener_arn="", repository_uri="", tag=""
)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
def service_new(request: HttpRequest) -> HttpResponse:
    """The form, and what it sends; whatever goes wrong, what was typed stays, but for secrets."""
    allowed = reader_of(request).may_set_up
    if isinstance(allowed, Refused):
        raise PermissionDenied(allowed.reason)
    if request.method != "POST":
        return _begin(request)
    if "look" in request.POST:
        return _look(request)
    form = NewServiceForm(request.POST, offered=_offered(request))
    configuration = ConfigurationForm(request.POST, present={})
    is_valid = all([form.is_valid(), configuration.is_valid()])
    seen = _look_at(request.POST.dict())
    service = _request(request, form, configuration, seen) if is_valid else None
    if service is None:
        # What is wrong is said at the fields.
        return _page(request, form, configuration, _Seen(picture=seen.picture), status=422)
    messages.success(request, "Asked for: its plan is being made, and waits for an approval then.")
    return redirect("service-detail", name=service.name)


def _request(
    request: HttpRequest, form: NewServiceForm, configuration: ConfigurationForm, seen: "_Seen"
) -> Service | None:
    if seen.problems:
        form.refuse(seen.problems)
        return None
    try:
        return request_set_up(
            user=signed_in(request),
            new=form.wanted(configuration.wanted),
            picture=seen.picture,
            priority=form.cleaned_data["priority"],
            rights=form.rights(),
            reason=form.cleaned_data["reason"],
        )
    except NotAllowed as error:
        raise PermissionDenied(error.message) from error
    except FieldsInvalid as error:
        form.refuse(error.by_field)
    except InvalidCanary as error:
        form.refuse({"canary_addresses": error.message})
    except InvalidConfiguration as error:
        configuration.refuse(error)
    return None


def _begin(request: HttpRequest) -> HttpResponse:
    """An empty form, or one that begins with what another service has."""
    initial: dict[str, Any] = {}
    if name := request.GET.get("like", ""):
        initial = like(find_service(request, name))
    form = NewServiceForm(offered=_offered(request), initial=initial)
    seen = _look_at(initial) if initial else _Seen()
    return _page(request, form, ConfigurationForm(present={}), seen)


def _look(request: HttpRequest) -> HttpResponse:
    """What was typed, judged by nothing yet, with what is found at AWS."""
    sent = request.POST.dict()
    sent["listener_arn"] = sent["look"] or sent.get("listener_arn", "")
    configuration = ConfigurationForm(present={})
    configuration.initial = {**configuration.initial, **sent, "secrets": ""}
    form = NewServiceForm(offered=_offered(request), initial=sent)
    return _page(request, form, configuration, _look_at(sent))


def _page(
    request: HttpRequest,
    form: NewServiceForm,
    configuration: ConfigurationForm,
    seen: "_Seen",
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "usual": usual_fields(form),
        "groups": groups(form),
        "configuration": configuration,
        "seen": seen,
        "place": "services",
        "alike": visible_services(signed_in(request)).filter(removed_at__isnull=True),
        "like": request.GET.get("like", ""),
    }
    return render(request, "releases/service_new.html", context, status=status)


def _offered(request: HttpRequest) -> Offered:
    managed = services_with(signed_in(request), Permission.MANAGE).filter(removed_at__isnull=True)
    return Offered(accounts=account_ids(), managed=tuple(managed))


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What was found at AWS: the listener, or those to choose from where none was named; else why not, by field."""

    picture: ListenerPicture | None = None
    listeners: Sequence[Listener] = ()
    problems: Mapping[str, str] = field(default_factory=dict)


def _look_at(typed: Mapping[str, Any]) -> _Seen:
    names = ("account_id", "region", "listener_arn")
    place = replace(_NOWHERE, **{name: str(typed.get(name, "")).strip() for name in names})
    try:
        if place.listener_arn:
            return _Seen(picture=look_at(place))
        return _Seen(listeners=find_listeners(place))
    except FieldsInvalid as error:
        return _Seen(problems=error.by_field)
