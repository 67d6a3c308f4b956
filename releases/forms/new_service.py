"""The shape of what people send to set up a service; the rules are in ``releases.domain.provisioning.new_service``."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import QueryDict

from releases.domain.canary import CanaryHeader, parse_addresses
from releases.domain.errors import DomainError
from releases.domain.provisioning.execution_role import RoleRights
from releases.domain.provisioning.new_service import (
    LONGEST_ARN,
    LONGEST_ENVIRONMENT,
    LONGEST_FAMILY,
    LONGEST_NAME,
)
from releases.domain.rollout_plan import Rotation, parse_weights
from releases.forms.fields import LinesField, NumberField
from releases.forms.settings import DefaultsForm, SettingsForm
from releases.models import Service
from releases.services.provisioning.set_up_requests import Rights
from releases.services.provisioning.setup import NewService
from releases.services.versions.configurations import WantedConfiguration

ROTATIONS = [
    (Rotation.COPY.value, "copy: the stable colour stays the same, three applies"),
    (Rotation.SWAP.value, "swap: the colours swap their roles, two applies"),
]
ROLE_RIGHTS = [
    (RoleRights.MANAGED.value, "what AWS's policy for functions in a VPC allows"),
    (RoleRights.LEAST.value, "the least: the logs and traces of these functions, and their VPC"),
]
_ROLE = ("role_rights", "role_permissions_boundary")
_WHERE = ("account_id", "region", "listener_arn", "repository_uri", *_ROLE)
_USUAL_DEFAULTS = ("bake_seconds", "settle_seconds", "rotation", "rollback_window_seconds")
_USUAL: Mapping[str, Any] = {
    "service_environment": "production",
    "weights": "10, 25, 50, 75",
    **{
        name: getattr(NewService, name)
        for name in (
            "canary_slots",
            "stickiness_seconds",
            "provisioned_concurrency",
            "role_rights",
            *_USUAL_DEFAULTS,
        )
    },
}
_DEFAULTS = DefaultsForm.base_fields


def _text(label: str, longest: int, help_text: str = "", *, required: bool = True) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(
        label=label, max_length=longest, help_text=help_text, required=required, widget=widget
    )


@dataclass(frozen=True, kw_only=True)
class Offered:
    """What a person may choose from: accounts (none: any), and the services that they manage."""

    accounts: Sequence[str]
    managed: Sequence[Service]


class NewServiceForm(SettingsForm):
    """All that is said about a new service but its first configuration; ``wanted`` is what it says."""

    name = _text(
        "Name", LONGEST_NAME, "Small letters, digits and hyphens. Its functions are called after it."
    )
    family = _text(
        "Family",
        LONGEST_FAMILY,
        "Its target groups are called after it: at most 26 characters. Empty: the name.",
        required=False,
    )
    # By its own name it would be the variables of the first configuration, which is sent with it.
    service_environment = _text("Environment", LONGEST_ENVIRONMENT, "For example production, or staging.")
    account_id = _text("AWS account", 12, "Its number, of twelve digits.")
    region = _text("Region", 30, "For example eu-central-1.")
    listener_arn = _text(
        "Listener", 300, "The ARN of a load balancer's listener: look at it before you go on."
    )
    repository_uri = _text(
        "Image repository", 300, "In ECR, of the same account and region, without a tag. It stays the same."
    )
    tag = _text("First image", 128, "The tag of the image that both colours begin with.")
    as_on = forms.ChoiceField(
        label="Who may do what on it",
        help_text="Everybody has the rights that they have on this service now.",
    )
    approvers = LinesField(
        label="Who may approve",
        help_text="The user names of other people, one a line. You may do everything else; nobody approves alone.",
    )
    priority = NumberField(
        required=False,
        min_value=1,
        max_value=50_000,
        label="Priority",
        help_text="Of its traffic rule; the canary has the numbers before it. Empty: the lowest with room.",
    )
    canary_addresses = forms.CharField(
        required=False,
        label="Canary addresses",
        help_text="Whom a canary is for, separated by commas: 203.0.113.7 or 2001:db8::/48.",
    )
    canary_header_name = _text(
        "Canary header",
        40,
        "For testers behind a proxy or CDN, such as X-Canary. Empty: none.",
        required=False,
    )
    canary_header_value = forms.CharField(
        required=False,
        max_length=128,
        label="Secret value of the header",
        help_text="16 to 128 letters, digits, - and _. Stored encrypted and never shown again: after an error, or a "
        "look at the listener, write it again.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    role_arn = _text(
        "Execution role", LONGEST_ARN, "The ARN of one that is there. Empty: one is made.", required=False
    )
    role_rights = forms.ChoiceField(
        choices=ROLE_RIGHTS, label="What the role may do", help_text="Of the one that is made."
    )
    role_permissions_boundary = _text(
        "Permissions boundary",
        LONGEST_ARN,
        "The ARN of the policy that bounds the role that is made, where the account demands one.",
        required=False,
    )
    weights = _DEFAULTS["weights"]
    bake_seconds = _DEFAULTS["bake_seconds"]
    settle_seconds = _DEFAULTS["settle_seconds"]
    rollback_window_seconds = _DEFAULTS["rollback_window_seconds"]
    rotation = forms.ChoiceField(choices=ROTATIONS, label="Rotation")

    def __init__(
        self, data: QueryDict | None = None, *, offered: Offered, initial: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial={**_USUAL, **(initial or {})})
        if offered.accounts:
            choices = [(number, number) for number in offered.accounts]
            self.fields["account_id"] = forms.ChoiceField(
                label="AWS account", choices=choices, widget=forms.Select({"class": "form-select"})
            )
        if offered.managed:
            names = [(service.name, service.name) for service in offered.managed]
            self.fields["as_on"].choices = [("", "Choose a service"), *names]  # type: ignore[attr-defined]
            del self.fields["approvers"]
        else:
            del self.fields["as_on"]
        self._managed = {service.name: service for service in offered.managed}

    def wanted(self, configuration: WantedConfiguration) -> NewService:  # type: ignore[override]
        """What was sent, as a new service with this first configuration; its priority is apart."""
        names = {field.name for field in fields(NewService)} - {"priority", "configuration"}
        sent = {name: value for name, value in self.cleaned_data.items() if name in names}
        lists = {name: list(sent[name]) for name in ("hostnames", "paths", "canary_addresses", "weights")}
        return NewService(
            **{**sent, **lists},
            environment=self.cleaned_data["service_environment"],
            configuration=configuration,
        )

    def rights(self) -> Rights:
        """Who may do what on it."""
        sent = self.cleaned_data
        return Rights(as_on=self._managed.get(sent.get("as_on", "")), approvers=sent.get("approvers", ()))

    def refuse(self, problems: Mapping[str, str]) -> None:
        """Say at their fields what the rules said."""
        is_named_so = not self["family"].value() and "name" in problems  # one mistake, said once
        for name, problem in problems.items():
            if name == "family" and is_named_so:
                continue
            at = "service_environment" if name == "environment" else name
            self.add_error(at if at in self.fields else None, problem)

    def clean_approvers(self) -> tuple[User, ...]:
        """The people of these names."""
        names = self.cleaned_data["approvers"]
        people = User.objects.filter(username__in=names, is_active=True, service_account__isnull=True)
        found = {user.username: user for user in people}
        if unknown := [name for name in names if name not in found]:
            raise forms.ValidationError(f"There is no active person “{unknown[0][:60]}”.")
        return tuple(found[name] for name in names)

    def clean_weights(self) -> tuple[int, ...]:
        """The shares as numbers."""
        return _parsed(parse_weights, self.cleaned_data["weights"])

    def clean_canary_addresses(self) -> tuple[str, ...]:
        """The addresses in their usual form."""
        return _parsed(parse_addresses, self.cleaned_data["canary_addresses"])

    def clean(self) -> dict[str, Any]:
        """What several fields say together."""
        sent = super().clean() or self.cleaned_data
        if not sent.get("family") and "family" not in self.errors:
            sent["family"] = sent.get("name", "")
        sent["canary_header"] = self._header(
            sent.get("canary_header_name", ""), sent.get("canary_header_value", "")
        )
        return sent

    def _header(self, name: str, value: str) -> CanaryHeader | None:
        if not name and not value:
            return None
        try:
            return CanaryHeader(name=name, value=value)
        except DomainError as error:
            at = "canary_header_name" if error.code == "canary:header-name" else "canary_header_value"
            self.add_error(at, error.message)
            return None


def like(service: Service) -> dict[str, Any]:
    """What another service has that a new one beside it mostly has too, as it is typed into the form."""
    return {
        **{name: getattr(service, name) for name in (*_WHERE, *_USUAL_DEFAULTS)},
        "service_environment": service.environment,
        "weights": ", ".join(map(str, service.weights)),
        "as_on": service.name,
    }


def _parsed(parse: Callable[[str], tuple[Any, ...]], text: str) -> tuple[Any, ...]:
    try:
        return parse(text)
    except DomainError as error:
        raise forms.ValidationError(error.message, code=error.code) from error
