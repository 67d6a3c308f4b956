"""The accounts of a service's programs, with their tokens."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from releases.domain.access.decisions import Refused
from releases.domain.access.roles import Role
from releases.forms.tokens import AccountForm, ProgramTokenForm
from releases.models import Service, ServiceAccount
from releases.services.access import service_accounts, tokens
from releases.services.errors import FieldsInvalid
from releases.views.lookups import find_service, signed_in, theirs
from releases.views.pages import service_context
from releases.views.shown.tokens import token_rows


@require_http_methods(["GET", "HEAD", "POST"])
def accounts(request: HttpRequest, name: str) -> HttpResponse:
    """Which programs have an account here, and the form for another one."""
    service = find_service(request, name)
    if request.method != "POST":
        return _page(request, service)
    _refuse_unless_allowed(request, service)
    form = AccountForm(request.POST)
    if form.is_valid() and _tried(form, lambda: _make(request, service, form)):
        messages.success(request, f"{form.cleaned_data['name']} has an account: make a token for it.")
        return redirect("service-accounts", name=service.name)
    return _page(request, service, form=form, status=422)


@never_cache
@require_POST
def account_token(request: HttpRequest, name: str, account_id: int) -> HttpResponse:
    """Make a token; the page that answers it is the only one that has the secret."""
    service = find_service(request, name)
    account = _find(service, account_id)
    _refuse_unless_allowed(request, service)
    form, secret = _token_form(account, request.POST), ""

    def make() -> None:
        nonlocal secret
        secret = service_accounts.make_token(account, **form.cleaned_data, by=signed_in(request))

    if form.is_valid() and _tried(form, make):
        return _page(request, service, secret=secret, status=201)
    return _page(request, service, token_forms={account.pk: form}, status=422)


@require_POST
def account_token_revoke(request: HttpRequest, name: str, account_id: int, token_id: str) -> HttpResponse:
    """End a token of an account."""
    service = find_service(request, name)
    account = _find(service, account_id)
    _refuse_unless_allowed(request, service)
    token = theirs(tokens.of(account.user), "It is the token of another account.", pk=token_id)
    service_accounts.revoke_token(account, token, by=signed_in(request))
    messages.success(request, f"“{token.name}” is revoked: nothing gets in with it any more.")
    return redirect("service-accounts", name=service.name)


@require_POST
def account_end(request: HttpRequest, name: str, account_id: int) -> HttpResponse:
    """End an account, and with it all of its tokens."""
    service = find_service(request, name)
    account = _find(service, account_id)
    _refuse_unless_allowed(request, service)
    service_accounts.end(account, by=signed_in(request))
    messages.success(request, f"{account} has ended: nothing gets in as it any more.")
    return redirect("service-accounts", name=service.name)


def _make(request: HttpRequest, service: Service, form: AccountForm) -> None:
    roles = list(map(Role, form.cleaned_data["roles"]))
    service_accounts.make(service, name=form.cleaned_data["name"], roles=roles, by=signed_in(request))


def _tried(form: Form, act: Callable[[], None]) -> bool:
    try:
        act()
    except FieldsInvalid as error:
        for name, problem in error.by_field.items():
            form.add_error(name, problem)
        return False
    return True


def _refuse_unless_allowed(request: HttpRequest, service: Service) -> None:
    answer = service_accounts.may_manage(signed_in(request), service)
    if isinstance(answer, Refused):
        raise PermissionDenied(answer.reason)


def _find(service: Service, account_id: int) -> ServiceAccount:
    found = ServiceAccount.objects.filter(service=service).select_related("user", "service")
    return theirs(found, f"It does not belong to the service {service.name}.", user_id=account_id)


def _token_form(account: ServiceAccount, data: QueryDict | None = None) -> ProgramTokenForm:
    """Each account has one on the same page."""
    return ProgramTokenForm(data, auto_id=f"id_%s_{account.pk}")


def _page(
    request: HttpRequest,
    service: Service,
    *,
    form: AccountForm | None = None,
    token_forms: Mapping[int, ProgramTokenForm] | None = None,
    secret: str = "",
    status: int = 200,
) -> HttpResponse:
    found = list(ServiceAccount.objects.filter(service=service).select_related("user", "made_by"))
    rows = token_rows(tokens.of(*(account.user for account in found)))
    forms = token_forms or {}
    context: dict[str, Any] = service_context(request, service) | {
        "accounts": [
            (one, [row for row in rows if row.token.user_id == one.pk], forms.get(one.pk, _token_form(one)))
            for one in found
        ],
        "form": form or AccountForm(),
        "secret": secret,
        "may": service_accounts.may_manage(signed_in(request), service),
    }
    return render(request, "releases/service_accounts.html", context, status=status)
