"""The forms by which people get accounts, groups and roles."""

from enum import StrEnum

from django import forms
from django.contrib.auth.models import Group, User
from django.http import QueryDict

from releases.domain.access.roles import Role
from releases.forms.fields import StyledForm
from releases.models import Service
from releases.services.access.rights import Holder
from releases.services.access.roles import EVERYWHERE, Place

_NOBODY = "There is no active person of this user name."


class Where(StrEnum):
    """Where the role is to hold, seen from a service."""

    SERVICE = "service"
    ENVIRONMENT = "environment"
    EVERYWHERE = "everywhere"


def _text() -> forms.TextInput:
    return forms.TextInput({"autocomplete": "off"})


class RoleForm(StyledForm):
    """Who is given which role, and where. After ``is_valid``, ``holder``, ``given`` and ``place`` have it."""

    kind = forms.ChoiceField(choices=[("person", "A person"), ("group", "A group")], label="Who")
    name = forms.CharField(
        max_length=150,
        label="Name",
        help_text="The user name, or the group's name.",
        widget=_text(),
    )
    role = forms.ChoiceField(choices=[(role.value, role.value) for role in Role], label="Role")
    where = forms.ChoiceField(label="Where")

    def __init__(self, data: QueryDict | None = None, *, service: Service) -> None:
        super().__init__(data)
        self.service = service
        self.fields["where"].choices = [  # type: ignore[attr-defined]
            (Where.SERVICE.value, f"On {service.name}"),
            (Where.ENVIRONMENT.value, f"On every service in {service.environment}"),
            (Where.EVERYWHERE.value, "On every service"),
        ]

    @property
    def holder(self) -> Holder:
        """Whose role it is to be."""
        holder: Holder = self.cleaned_data["holder"]
        return holder

    @property
    def given(self) -> Role:
        """What they are to be."""
        return Role(self.cleaned_data["role"])

    @property
    def place(self) -> Place:
        """Where it is to hold."""
        return {
            Where.SERVICE: Place(service=self.service),
            Where.ENVIRONMENT: Place(environment=self.service.environment),
            Where.EVERYWHERE: EVERYWHERE,
        }[Where(self.cleaned_data["where"])]

    def clean(self) -> dict[str, object]:
        """Find whom the name means."""
        cleaned = super().clean() or {}
        name, kind = cleaned.get("name", ""), cleaned.get("kind")
        if not name or not kind:
            return cleaned
        found: Holder | None = (
            Group.objects.filter(name=name).first()
            if kind == "group"
            else User.objects.filter(username=name, is_active=True).first()
        )
        if found is None:
            self.add_error("name", "There is no group of this name." if kind == "group" else _NOBODY)
        return cleaned | {"holder": found}


class PersonForm(StyledForm):
    """An account for somebody new."""

    username = forms.CharField(
        max_length=150, label="User name", help_text="As the trail will call them.", widget=_text()
    )
    email = forms.CharField(
        max_length=254,
        required=False,
        label="E-mail address",
        help_text="Where messages go; may be left empty.",
        widget=_text(),
    )


class GroupForm(StyledForm):
    """A new group."""

    name = forms.CharField(
        max_length=150, label="Name", help_text="As the policies of gates call it.", widget=_text()
    )


class MemberForm(StyledForm):
    """Who is put into a group. After ``is_valid``, ``person`` has them."""

    name = forms.CharField(max_length=150, label="User name", widget=_text())

    @property
    def person(self) -> User:
        """Whom the name means."""
        person: User = self.cleaned_data["person"]
        return person

    def clean(self) -> dict[str, object]:
        """Find whom the name means."""
        cleaned = super().clean() or {}
        name = cleaned.get("name")
        found = User.objects.filter(username=name, is_active=True).first() if name else None
        if name and found is None:
            self.add_error("name", _NOBODY)
        return cleaned | {"person": found}
