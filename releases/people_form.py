"""The form by which somebody is given a role on a service, in its environment, or everywhere."""

from enum import StrEnum

from django import forms
from django.contrib.auth.models import Group, User
from django.http import QueryDict

from releases.domain.roles import Role
from releases.models import Service
from releases.services.rights import Holder
from releases.services.roles import EVERYWHERE, Place


class Where(StrEnum):
    """Where the role is to hold, seen from a service."""

    SERVICE = "service"
    ENVIRONMENT = "environment"
    EVERYWHERE = "everywhere"


def _select() -> forms.Select:
    return forms.Select({"class": "form-select"})


class RoleForm(forms.Form):
    """Who is given which role, and where. After ``is_valid``, ``holder``, ``given`` and ``place`` have it."""

    kind = forms.ChoiceField(
        choices=[("person", "A person"), ("group", "A group")], label="Who", widget=_select()
    )
    name = forms.CharField(
        max_length=150,
        label="Name",
        help_text="The user name, or the group's name.",
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )
    role = forms.ChoiceField(
        choices=[(role.value, role.value) for role in Role], label="Role", widget=_select()
    )

    def __init__(self, data: QueryDict | None = None, *, service: Service) -> None:
        super().__init__(data)
        self.service = service
        places = [
            (Where.SERVICE.value, f"On {service.name}"),
            (Where.ENVIRONMENT.value, f"On every service in {service.environment}"),
            (Where.EVERYWHERE.value, "On every service"),
        ]
        self.fields["where"] = forms.ChoiceField(choices=places, label="Where", widget=_select())

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
            words = "group of this name" if kind == "group" else "active person of this user name"
            self.add_error("name", f"There is no {words}.")
        return cleaned | {"holder": found}
