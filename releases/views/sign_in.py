"""Signing in and out, and setting a password by a link, each with its event."""

from typing import TypeVar

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
from releases.sign_in_limits import make_known

LONGEST_NAME = 150
PasswordForm = TypeVar("PasswordForm", bound="SetPasswordForm[User]")


class SignInForm(AuthenticationForm):
    """The usual one, for names of any length."""

    def clean_username(self) -> str:
        """As much of it as a name can have: what counts the tries that fail keeps no more."""
        return str(self.cleaned_data["username"])[:LONGEST_NAME]


def record_mistaken(request: HttpRequest, actor: Actor, action: str) -> bool:
    """Tell the trail of a password that did not match, unless none counts now, and of the pause where it begins.

    True where no try counts now, this one or the next.
    """
    is_locked = getattr(request, "axes_locked_out", False)
    if not is_locked or request.axes_failures_since_start:  # type: ignore[attr-defined]  # this one counted
        events.record(actor=actor, action=action)
        if is_locked:
            events.record(actor=actor, action="person.locked-out")
    return is_locked


def locked_words() -> dict[str, int]:
    """What a page that counts no try is given: ``locked_minutes``."""
    return {"locked_minutes": int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)}


def locked_headers() -> dict[str, str]:
    """When a try counts again, for whoever asks by a program."""
    return {"Retry-After": str(int(settings.AXES_COOLOFF_TIME.total_seconds()))}


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
        make_known(answer, user)
        return answer

    @transaction.atomic
    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Say that it didn't match, or that no try counts now."""
        actor = Actor(id="", name=form.data.get("username", ""), via="page")
        if not record_mistaken(self.request, actor, "person.sign-in-failed"):
            return super().form_invalid(form)
        context = self.get_context_data(form=form, **locked_words())
        return self.render_to_response(context, status=429, headers=locked_headers())


class SignOut(LogoutView):
    """Who was not signed in leaves no event."""

    @transaction.atomic
    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """End the session."""
        user = request.user
        if isinstance(user, User):
            events.record(actor=person(user), action="person.signed-out")
        return super().post(request, *args, **kwargs)


def like_all_others(form: PasswordForm) -> PasswordForm:
    """With what Django's fields need to look like those of other forms."""
    form.fields["new_password1"].help_text = "At least 8 characters, and not a common one."
    for field in form.fields.values():
        field.widget.attrs["class"] = "form-control"
    return form


class SetPassword(PasswordResetConfirmView):
    """Whoever has the link sets the password, once; the page then has an address without what the link holds."""

    template_name = "registration/password_set.html"

    def get_user(self, uidb64: str) -> User | None:
        """Only of somebody whose account counts."""
        user = super().get_user(uidb64)
        return user if isinstance(user, User) and user.is_active else None

    def get_form(self, form_class: "type[SetPasswordForm[User]] | None" = None) -> "SetPasswordForm[User]":
        """Django's, looking like all others."""
        return like_all_others(super().get_form(form_class))

    def form_valid(self, form: "SetPasswordForm[User]") -> HttpResponse:
        """Keep it; the person signs in with it."""
        if not people.set_password(form.user, form.cleaned_data["new_password1"]):
            return self.render_to_response({"validlink": False}, status=409)
        messages.success(self.request, "Your password is set: sign in with it.")
        return redirect("login")

    def form_invalid(self, form: "SetPasswordForm[User]") -> HttpResponse:
        """Say why it will not do."""
        return self.render_to_response(self.get_context_data(form=form), status=422)
