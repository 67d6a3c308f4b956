"""Changing one's own password: who has it on a piece of paper, or has told somebody, needs no administrator."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import authenticate, update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from releases.services.access import people
from releases.services.lifecycle import person
from releases.views.lookups import signed_in
from releases.views.sign_in import like_all_others, locked_headers, locked_words, record_mistaken

_WITHOUT = "You sign in without a password here, so there is none to change."


class OwnPasswordForm(PasswordChangeForm):
    """Django's, where a wrong old password counts like a sign-in that fails: nobody guesses it at an open session."""

    def __init__(self, user: User, *, request: HttpRequest, **sent: Any) -> None:
        super().__init__(user, **sent)
        self.request = request

    def clean_old_password(self) -> str:
        """The old one, if a sign-in with it would succeed now."""
        typed = str(self.cleaned_data["old_password"])
        if authenticate(self.request, username=self.user.get_username(), password=typed) is None:
            raise ValidationError(self.error_messages["password_incorrect"], code="mistaken")
        return typed


class OwnPassword(PasswordChangeView):
    """The page for it; all other sessions of the person end."""

    form_class = OwnPasswordForm
    template_name = "registration/own_password.html"

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """Only for who signs in by a password."""
        if not signed_in(request).has_usable_password():
            raise PermissionDenied(_WITHOUT)
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        """With the request, by which tries that fail are counted."""
        return super().get_form_kwargs() | {"user": signed_in(self.request), "request": self.request}

    def get_form(self, form_class: Any = None) -> PasswordChangeForm:  # noqa: ANN401 - Django's
        """Django's, looking like all others."""
        return like_all_others(super().get_form(form_class))

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        """Keep it, and let this session go on."""
        user = signed_in(self.request)
        with transaction.atomic():
            is_kept = people.change_password(user, form.cleaned_data["new_password1"])
            if is_kept:
                update_session_auth_hash(self.request, user)
        if not is_kept:
            messages.error(self.request, "Your password was changed meanwhile: sign in with the new one.")
            return redirect("login")
        messages.success(self.request, "Your password is changed. Every other session of yours has ended.")
        return redirect("own-password")

    @transaction.atomic
    def form_invalid(self, form: PasswordChangeForm) -> HttpResponse:
        """Say why it will not do, or that no try counts now."""
        user = signed_in(self.request)
        is_mistaken = form.has_error("old_password", "mistaken")
        if is_mistaken and record_mistaken(self.request, person(user), "person.password-mistaken"):
            # What was typed is not said to be wrong: nobody looked at it.
            anew = like_all_others(OwnPasswordForm(user, request=self.request))
            context = self.get_context_data(form=anew, **locked_words())
            return self.render_to_response(context, status=429, headers=locked_headers())
        return self.render_to_response(self.get_context_data(form=form), status=422)
