"""Signing in and out, each with its event."""

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from audit import events
from audit.events import Actor
from releases.services.lifecycle import person


class SignIn(LoginView):
    """A try that fails is recorded under the name that was typed, which may be nobody's."""

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
        """Say that it didn't match."""
        typed = form.data.get("username", "")
        events.record(actor=Actor(id="", name=typed, via="page"), action="person.sign-in-failed")
        return super().form_invalid(form)


class SignOut(LogoutView):
    """Who was not signed in leaves no event."""

    @transaction.atomic
    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """End the session."""
        user = request.user
        if isinstance(user, User):
            events.record(actor=person(user), action="person.signed-out")
        return super().post(request, *args, **kwargs)
