"""Signing in and out, and setting a password by a link, each with its event."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm, SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView, PasswordResetConfirmView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from audit import events
from audit.events import Actor
from releases.services.access import people
from releases.services.lifecycle import person

LONGEST_NAME = 150


class SignInForm(AuthenticationForm):
    """The usual one, for names of any length."""

    def clean_username(self) -> str:
        """As much of it as a name can have: what counts the tries that fail keeps no more."""
        return str(self.cleaned_data["username"])[:LONGEST_NAME]


class SignIn(LoginView):
    """A try that fails is recorded under the name that was typed, which may be nobody's.

    After too many of them no try counts for a while, and none is recorded: whoever guesses does not fill the trail.
    """

    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Sign the person in."""
        user = form.get_user()
        with transaction.atomic():
            answer = super().form_valid(form)
            events.record(actor=person(user), action="person.signed-in")
        return answer

    @transaction.atomic
    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Say that it didn't match, or that no try counts now."""
        is_locked = getattr(self.request, "axes_locked_out", False)
        if not is_locked or self.request.axes_failures_since_start:  # type: ignore[attr-defined]  # this one counted
            self._record(form, "person.sign-in-failed")
            if is_locked:
                self._record(form, "person.locked-out")
        if not is_locked:
            return super().form_invalid(form)
        pause = settings.AXES_COOLOFF_TIME
        context = self.get_context_data(form=form, locked_minutes=int(pause.total_seconds() // 60))
        headers = {"Retry-After": str(int(pause.total_seconds()))}
        return self.render_to_response(context, status=429, headers=headers)

    def _record(self, form: AuthenticationForm, action: str) -> None:
        typed = form.data.get("username", "")
        events.record(actor=Actor(id="", name=typed, via="page"), action=action)


class SignOut(LogoutView):
    """Who was not signed in leaves no event."""

    @transaction.atomic
    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """End the session."""
        user = request.user
        if isinstance(user, User):
            events.record(actor=person(user), action="person.signed-out")
        return super().post(request, *args, **kwargs)


class SetPassword(PasswordResetConfirmView):
    """Whoever has the link sets the password, once; the page then has an address without what the link holds."""

    template_name = "registration/password_set.html"

    def get_user(self, uidb64: str) -> User | None:
        """Only of somebody whose account counts."""
        user = super().get_user(uidb64)
        return user if isinstance(user, User) and user.is_active else None

    def get_form(self, form_class: "type[SetPasswordForm[User]] | None" = None) -> "SetPasswordForm[User]":
        """With what a field needs to look like all others."""
        form = super().get_form(form_class)
        form.fields["new_password1"].help_text = "At least 8 characters, and not a common one."
        for field in form.fields.values():
            field.widget.attrs["class"] = "form-control"
        return form

    def form_valid(self, form: "SetPasswordForm[User]") -> HttpResponse:
        """Keep it; the person signs in with it."""
        if not people.set_password(form.user, form.cleaned_data["new_password1"]):
            return self.render_to_response({"validlink": False}, status=409)
        messages.success(self.request, "Your password is set: sign in with it.")
        return redirect("login")

    def form_invalid(self, form: "SetPasswordForm[User]") -> HttpResponse:
        """Say why it will not do."""
        return self.render_to_response(self.get_context_data(form=form), status=422)
