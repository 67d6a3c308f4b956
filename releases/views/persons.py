"""People and their accounts, for administrators: who there is, who is added, who is out."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from releases.forms.people import PersonForm
from releases.permissions import NotAllowed
from releases.selectors import people as people_selectors
from releases.services.access import people
from releases.services.access.roles import RoleRefused
from releases.services.errors import FieldsInvalid
from releases.views.lookups import administrator
from releases.views.pages import page_of, searched_for


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def person_list(request: HttpRequest) -> HttpResponse:
    """Who there is, and the form for somebody new. Only the page that answers it has the link for the password."""
    by = administrator(request)
    form = PersonForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            added = people.add(form.cleaned_data["username"], email=form.cleaned_data["email"], by=by)
        except FieldsInvalid as refused:
            for name, problem in refused.by_field.items():
                form.add_error(name, problem)
        else:
            return _page(request, added, link=people.password_link(added), status=201)
    words = searched_for(request)
    context = {
        "page": page_of(request, people_selectors.people(words)),
        "query": words,
        "form": form,
        "place": "people",
    }
    return render(request, "releases/person_list.html", context, status=422 if form.errors else 200)


@require_safe
def person(request: HttpRequest, person_id: int) -> HttpResponse:
    """Somebody's groups and roles, and what can be done with the account."""
    administrator(request)
    return _page(request, _find(person_id))


@require_POST
def person_deactivate(request: HttpRequest, person_id: int) -> HttpResponse:
    """Let nothing in as this person any more."""
    by, whom = administrator(request), _find(person_id)
    if tried(request, lambda: people.deactivate(whom, by=by)):
        messages.success(request, f"{whom} is out: nothing gets in as them any more.")
    return redirect("person", person_id=whom.pk)


@require_POST
def person_reactivate(request: HttpRequest, person_id: int) -> HttpResponse:
    """Let this person in again, by a new password."""
    by, whom = administrator(request), _find(person_id)
    if tried(request, lambda: people.reactivate(whom, by=by)):
        messages.success(request, f"{whom} is back: make a link, by which they set a new password.")
    return redirect("person", person_id=whom.pk)


@never_cache
@require_POST
def person_password(request: HttpRequest, person_id: int) -> HttpResponse:
    """End the password; only the page that answers has the link for another one."""
    by, whom = administrator(request), _find(person_id)
    if not tried(request, lambda: people.end_password(whom, by=by)):
        return redirect("person", person_id=whom.pk)
    return _page(request, whom, link=people.password_link(whom) if whom.is_active else "", status=201)


def tried(request: HttpRequest, act: Callable[[], object]) -> bool:
    """Whether an act of an administrator was done; what cannot be is said on the next page."""
    try:
        act()
    except NotAllowed as refused:
        raise PermissionDenied(refused.message) from refused
    except RoleRefused as refused:
        messages.error(request, refused.message)
        return False
    return True


def _find(person_id: int) -> User:
    return get_object_or_404(people_selectors.people(), pk=person_id)


def _page(request: HttpRequest, whom: User, *, link: str = "", status: int = 200) -> HttpResponse:
    context = {
        "person": whom,
        "roles": people_selectors.roles_of(whom),
        "may_deactivate": people.may_be_deactivated(whom),
        "link": link,
        "place": "people",
    }
    return render(request, "releases/person.html", context, status=status)
