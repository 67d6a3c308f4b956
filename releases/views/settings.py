"""A service's settings: what may be changed and how, what releases begin with, and its removal."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from aws.errors import AwsError
from releases.domain.access.decisions import Refused
from releases.domain.errors import InvalidCanary, InvalidRolloutPlan
from releases.domain.provisioning import managing
from releases.domain.provisioning.settings import from_columns
from releases.domain.traffic import initial_state
from releases.forms.settings import DefaultsForm, RemovalForm, SettingsForm, as_typed
from releases.models import Service
from releases.permissions import NotAllowed, as_person
from releases.selectors import own_step
from releases.services import defaults
from releases.services.provisioning import managed, removals, settings_runs
from releases.services.provisioning.managed import ManagingRefused
from releases.services.provisioning.removals import RemovalRefused
from releases.services.provisioning.settings_columns import recorded_settings
from releases.services.provisioning.settings_runs import SettingsInvalid
from releases.views.lookups import find_service, signed_in
from releases.views.pages import service_context
from releases.views.shown.rollout_plan import as_query, canary_warning, steps_of, usual_plan

_FIELDS = {
    "removal:name": "typed_name",
    "removal:reason": "removal_reason",
    "removal:in-use": "gives_up_requests",
    "managed:rotation": "rotation",
    "rollout:bake": "bake_seconds",
    "rollout": "weights",
    "canary": "canary_addresses",
}
"""Where a refusal is said, by its code or by the kind that its code begins with; any other one above the form."""


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("canary_header_value")
def service_settings(request: HttpRequest, name: str) -> HttpResponse:
    """The settings, and what is asked for in their place; whatever goes wrong, what was typed stays."""
    service = find_service(request, name)
    if request.method != "POST":
        return _page(request, service)
    form = SettingsForm(request.POST)

    def ask() -> None:
        settings_runs.request_settings(
            service_id=service.pk,
            user=signed_in(request),
            wanted=form.wanted(),
            reason=form.cleaned_data["reason"],
            header_value=form.cleaned_data["canary_header_value"],
        )

    done = "Asked for: its plan is being made, and waits for an approval then."
    return _act(request, service, form, ask, done, "service-detail", form=form)


@require_POST
def service_defaults(request: HttpRequest, name: str) -> HttpResponse:
    """Change what releases begin with, at once."""
    service = find_service(request, name)
    form = DefaultsForm(request.POST)

    def change() -> None:
        defaults.change_defaults(service_id=service.pk, user=signed_in(request), wanted=form.wanted())

    return _act(request, service, form, change, "Changed.", "service-settings", defaults=form)


@require_safe
def default_steps(request: HttpRequest, name: str) -> HttpResponse:
    """The steps that the typed shares lead to, with what may be chosen of each: for the page's script."""
    return render(request, "releases/_request_steps.html", _steps(find_service(request, name), request.GET))


@require_POST
def service_removal(request: HttpRequest, name: str) -> HttpResponse:
    """Ask for the removal."""
    service = find_service(request, name)
    form = RemovalForm(request.POST)

    def ask() -> None:
        wanted = form.cleaned_data
        removals.request_removal(
            service_id=service.pk,
            user=signed_in(request),
            typed_name=wanted["typed_name"],
            reason=wanted["removal_reason"],
            gives_up_requests=wanted["gives_up_requests"],
        )

    done = "The removal is asked for: its plan is being made, and waits for an approval then."
    return _act(request, service, form, ask, done, "service-detail", removal=form)


def _act(
    request: HttpRequest,
    service: Service,
    sent: Form,
    act: Callable[[], None],
    done: str,
    leads_to: str,
    **forms: Form,
) -> HttpResponse:
    if sent.is_valid() and _tried(act, sent):
        messages.success(request, done)
        return redirect(leads_to, name=service.name)
    return _page(request, find_service(request, service.name), status=422, **forms)


def _tried(act: Callable[[], None], sent: Form) -> bool:
    """Whether it was done; if not, the form says why not."""
    try:
        act()
    except NotAllowed as error:
        raise PermissionDenied(error.message) from error
    except SettingsInvalid as error:
        for name, problem in error.by_field.items():
            sent.add_error(name if name in sent.fields else None, problem)
        return False
    except (ManagingRefused, RemovalRefused, InvalidCanary, InvalidRolloutPlan, AwsError) as error:
        kind = error.code.partition(":")[0]
        sent.add_error(_FIELDS.get(error.code, _FIELDS.get(kind)), error.message)
        return False
    return True


def _page(request: HttpRequest, service: Service, *, status: int = 200, **forms: Form) -> HttpResponse:
    facts, person = managed.managed_facts(service), as_person(signed_in(request), service)
    answers = {
        "may_change": managing.may_change_settings(person, facts),
        "may_change_defaults": managing.may_change_defaults(person, facts),
        "may_change_rotation": managing.may_change_rotation(facts),
        "may_remove": managing.may_remove(person, facts),
    }
    context = (
        service_context(request, service)
        | answers
        | {f"why_{name}": answer.reason for name, answer in answers.items() if isinstance(answer, Refused)}
        | _forms(service)
        | forms
    )
    context |= _steps(service, _as_sent(context["defaults"]))
    context |= {"canary_warning": canary_warning(service, context["defaults"])}
    context |= {"quiet": removals.read_quiet(service) if answers["may_remove"] else ""}
    return render(request, "releases/service_settings.html", context, status=status)


def _forms(service: Service) -> dict[str, Any]:
    step = own_step(service)
    present = recorded_settings(service)
    if step and step.settings_after:  # what is asked for, or has failed, is where a next change begins
        present = from_columns(step.settings_after)
    own = {name: getattr(service, name) for name in DefaultsForm.base_fields if hasattr(service, name)}
    return {
        "form": SettingsForm(initial=as_typed(present)),
        "defaults": DefaultsForm(initial=own | usual_plan(service)),
        "removal": RemovalForm(),
    }


def _as_sent(form: DefaultsForm) -> QueryDict:
    return cast(QueryDict, form.data) if form.is_bound else as_query(form)


def _steps(service: Service, data: QueryDict) -> dict[str, object]:
    """From rest, wherever the service is now: what is usual is for releases to come."""
    state = service.state
    return steps_of(service, initial_state(state.version_of(state.stable)), data)
