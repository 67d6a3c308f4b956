"""Groups of people, for administrators: whoever is in one has all of its roles."""

from django.contrib import messages
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from releases.domain.visible import visible
from releases.forms.people import GroupForm, MemberForm
from releases.selectors import people as people_selectors
from releases.services.access import group_removal, people
from releases.services.errors import FieldsInvalid
from releases.views.lookups import administrator
from releases.views.pages import page_of, searched_for
from releases.views.persons import tried


@require_http_methods(["GET", "HEAD", "POST"])
def group_list(request: HttpRequest) -> HttpResponse:
    """Which groups there are, and the form for another one."""
    by = administrator(request)
    form = GroupForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            made = people.make_group(form.cleaned_data["name"], by=by)
        except FieldsInvalid as refused:
            form.add_error("name", refused.message)
        else:
            messages.success(request, f"The group {visible(made.name)} is made: nobody is in it yet.")
            return redirect("group", group_id=made.pk)
    words = searched_for(request)
    context = {
        "page": page_of(request, people_selectors.groups(words)),
        "query": words,
        "form": form,
        "place": "people",
    }
    return render(request, "releases/group_list.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def group(request: HttpRequest, group_id: int) -> HttpResponse:
    """Who is in a group, and the form to put somebody into it."""
    by = administrator(request)
    found = get_object_or_404(people_selectors.groups(), pk=group_id)
    form = MemberForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        if tried(request, lambda: people.add_member(found, form.person, by=by)):
            messages.success(request, f"{form.person} is in the group {visible(found.name)} now.")
        return redirect("group", group_id=found.pk)
    context = {
        "group": found,
        "page": page_of(request, people_selectors.members(found)),
        "may_remove": group_removal.may_be_removed(found),
        "form": form,
        "place": "people",
    }
    return render(request, "releases/group.html", context, status=422 if form.errors else 200)


@require_POST
def member_remove(request: HttpRequest, group_id: int, person_id: int) -> HttpResponse:
    """Take somebody out of a group; who is not in it any more is no error."""
    by = administrator(request)
    found = get_object_or_404(Group, pk=group_id)
    whom = get_object_or_404(User, pk=person_id)
    if tried(request, lambda: people.remove_member(found, whom, by=by)):
        messages.success(request, f"{whom} is not in the group {visible(found.name)} any more.")
    return redirect("group", group_id=found.pk)


@require_POST
def group_remove(request: HttpRequest, group_id: int) -> HttpResponse:
    """Remove a group that nothing holds any more."""
    by = administrator(request)
    found = get_object_or_404(Group, pk=group_id)
    if not tried(request, lambda: group_removal.remove_group(found, by=by)):
        return redirect("group", group_id=group_id)
    messages.success(request, f"The group {visible(found.name)} is removed.")
    return redirect("group-list")
