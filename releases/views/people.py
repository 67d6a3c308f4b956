"""The people of a service: who has which role on it, and through what; giving and taking roles."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from releases.domain.access.decisions import Decision, Refused
from releases.domain.access.role_rules import may_give
from releases.domain.access.roles import Role
from releases.forms.people import RoleForm
from releases.models import Service
from releases.permissions import NotAllowed
from releases.selectors import roles as role_selectors
from releases.services.access import roles
from releases.services.access.roles import Place, RoleRefused
from releases.views.lookups import find_grant, find_service, signed_in
from releases.views.pages import service_context
from releases.views.persons import tried


@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest, name: str) -> HttpResponse:
    """Who has which role here, and the form to give another one."""
    service = find_service(request, name)
    if request.method != "POST":
        return _page(request, service, RoleForm(service=service))
    _refuse_unless_allowed(request, service)
    form = RoleForm(request.POST, service=service)
    if form.is_valid():
        if _given(request, form):
            messages.success(request, f"{form.holder} is {form.given} there now.")
        return redirect("service-people", name=service.name)
    return _page(request, service, form, status=422)


@require_POST
def role_take(request: HttpRequest, name: str, grant_id: UUID) -> HttpResponse:
    """Take a role away; one that is gone already is no error."""
    service = find_service(request, name)
    _refuse_unless_allowed(request, service)
    grant = find_grant(service, grant_id)
    try:
        if grant is not None:
            roles.take(grant.pk, taker=signed_in(request))
    except NotAllowed as refused:
        raise PermissionDenied(refused.message) from refused
    except RoleRefused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, "The role is taken away.")
    return redirect("service-people", name=service.name)


def _given(request: HttpRequest, form: RoleForm) -> bool:
    return tried(request, lambda: roles.give(form.given, form.holder, form.place, giver=signed_in(request)))


def _may_give(request: HttpRequest, service: Service) -> Decision:
    """Whether this person gives roles here at all; which ones depends on what they are themselves."""
    giver = roles.giver_at(signed_in(request), Place(service=service))
    return may_give(giver, Role.VIEWER, to_oneself=False)


def _refuse_unless_allowed(request: HttpRequest, service: Service) -> None:
    answer = _may_give(request, service)
    if isinstance(answer, Refused):
        raise PermissionDenied(answer.reason)


def _page(request: HttpRequest, service: Service, form: RoleForm, *, status: int = 200) -> HttpResponse:
    context = service_context(request, service) | {
        "grants": role_selectors.grants_on(service),
        "form": form,
        "may": _may_give(request, service),
        "here": "people",
    }
    return render(request, "releases/service_people.html", context, status=status)
