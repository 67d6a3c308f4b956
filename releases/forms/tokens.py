"""The forms that tokens, and the accounts of programs, are made with."""

from typing import Any

from django import forms
from django.contrib.auth.models import User

from releases.domain.access.decisions import Permission
from releases.domain.access.roles import Role
from releases.domain.access.scopes import LONGEST_DAYS
from releases.forms.fields import NumberField, StyledForm
from releases.models import Service
from releases.permissions import visible_services
from releases.services.access.tokens import WantedToken

PASSED_ON = {
    Permission.REQUEST: "Request releases, and cancel one's own",
    Permission.APPROVE: "Approve and reject",
    Permission.OPERATE: "Cancel any release",
    Permission.EMERGENCY: "Roll back",
}
"""What the API has operations for; to look is passed on always."""
USUAL_DAYS = 90


class ProgramTokenForm(StyledForm):
    """A token of a program's account: what that may do is the account's."""

    name = forms.CharField(max_length=60, label="Name")
    days = NumberField(min_value=1, max_value=LONGEST_DAYS, initial=USUAL_DAYS, label="Good for so many days")


class AccountForm(StyledForm):
    """An account for a program, on one service."""

    name = forms.CharField(max_length=60, label="Name", help_text="As the trail will call it.")
    roles = forms.MultipleChoiceField(
        required=False,
        choices=[
            (Role.REQUESTER.value, PASSED_ON[Permission.REQUEST]),
            (
                Role.OPERATOR.value,
                f"{PASSED_ON[Permission.OPERATE]}, and {PASSED_ON[Permission.EMERGENCY].lower()}",
            ),
        ],
        widget=forms.CheckboxSelectMultiple,
        label="What it may do beside looking",
    )


class TokenForm(StyledForm):
    """What a token is for, and for how long. A person chooses among the services that they may see."""

    name = forms.CharField(
        max_length=60, label="Name", help_text="Where it is used, such as “pipeline of the shop”."
    )
    days = NumberField(
        min_value=1,
        max_value=LONGEST_DAYS,
        initial=USUAL_DAYS,
        label="Good for so many days",
        help_text=f"At most {LONGEST_DAYS}; then make another one.",
    )
    permissions = forms.MultipleChoiceField(
        required=False,
        choices=[(right.value, words) for right, words in PASSED_ON.items()],
        widget=forms.CheckboxSelectMultiple,
        label="What it may do beside looking",
    )
    services: "forms.ModelMultipleChoiceField[Service]" = forms.ModelMultipleChoiceField(
        queryset=Service.objects.none(),
        required=False,
        label="Only on these services",
        help_text="None chosen: on all that you may see, also later ones.",
    )
    environment = forms.ChoiceField(required=False, label="Only in this environment")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        services = visible_services(user).filter(removed_at__isnull=True).order_by("name")
        self.fields["services"].queryset = services  # type: ignore[attr-defined]
        found = services.order_by("environment").values_list("environment", flat=True).distinct()
        self.fields["environment"].choices = [  # type: ignore[attr-defined]
            ("", "In every one"),
            *((name, name) for name in found),
        ]

    @property
    def wanted(self) -> WantedToken:
        """What was typed, once it is valid."""
        typed = self.cleaned_data
        return WantedToken(
            name=typed["name"],
            days=typed["days"],
            permissions=frozenset(map(Permission, typed["permissions"])),
            services=list(typed["services"]) or None,
            environment=typed["environment"],
        )
