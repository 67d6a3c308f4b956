"""A person's tokens, what programs sign in with in their name; and everybody's, for administrators."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from releases.forms.tokens import TokenForm
from releases.services.access import people, tokens
from releases.services.errors import FieldsInvalid
from releases.services.lifecycle import person
from releases.views.lookups import administrator, signed_in, theirs
from releases.views.pages import page_of, searched_for
from releases.views.persons import tried
from releases.views.shown.tokens import token_rows


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def own_tokens(request: HttpRequest) -> HttpResponse:
    """One's tokens, and the form for another one. The page that answers it is the only one that has the secret."""
    user = signed_in(request)
    form = TokenForm(request.POST if request.method == "POST" else None, user=user)
    secret = _made(request, form) if form.is_bound and form.is_valid() else ""
    context = {
        "form": TokenForm(user=user) if secret else form,
        "secret": secret,
        "rows": token_rows(tokens.of(user)),
    }
    status = 201 if secret else 422 if form.errors else 200
    return render(request, "releases/tokens.html", context, status=status)


@require_POST
def revoke_token(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """End one of one's own tokens."""
    user = signed_in(request)
    token = theirs(tokens.of(user), "It is somebody else's token.", pk=token_id)
    tokens.revoke(token, actor=person(user))
    messages.success(request, f"“{token.name}” is revoked: nothing gets in with it any more.")
    return redirect("tokens")


@require_safe
def token_list(request: HttpRequest) -> HttpResponse:
    """The tokens of all people and programs."""
    administrator(request)
    words = searched_for(request)
    page = page_of(request, tokens.of_everybody(words))
    context = {"page": page, "rows": token_rows(page), "query": words, "place": "people"}
    return render(request, "releases/token_list.html", context)


@require_POST
def token_list_revoke(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """End a token, whoever it belongs to."""
    by = administrator(request)
    token = get_object_or_404(tokens.of_everybody(), pk=token_id)
    if tried(request, lambda: people.revoke_token(token, by=by)):
        messages.success(
            request, f"“{token.name}” of {token.user} is revoked: nothing gets in with it any more."
        )
    return redirect("token-list")


def _made(request: HttpRequest, form: TokenForm) -> str:
    try:
        return tokens.make(signed_in(request), form.wanted)[1]
    except FieldsInvalid as error:
        for name, problem in error.by_field.items():
            form.add_error(name, problem)
        return ""
