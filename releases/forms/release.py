"""The shape of what people send about releases; the rules behind it are in ``releases.domain``."""

import re
from typing import Any
from uuid import UUID

from django import forms

from releases.domain.approval.approval_policy import PlanIdentity
from releases.domain.bakes import LONGEST_BAKE_SECONDS, parse_bakes
from releases.domain.canary import parse_addresses
from releases.domain.errors import DomainError
from releases.domain.rollout_plan import parse_weights
from releases.domain.tickets import LONGEST
from releases.domain.traffic import TAG
from releases.forms.fields import NumberField, StyledForm

BAKE_OF = "bake-"
"""Before a step's key: the name of the field with its bake time."""
_NOT_COMPLETED = {"autocomplete": "off"}


class RolloutForm(StyledForm):
    """The steps of a release; ``gates`` and ``automatic`` are keys of steps such as "shift-25"."""

    weights = forms.CharField(
        label="Shares of users, in percent",
        help_text="Rising, separated by commas. Promotion, the 100 %, follows by itself.",
        widget=forms.TextInput(attrs=_NOT_COMPLETED),
    )
    canary = forms.BooleanField(required=False, label="Canary first")
    canary_addresses = forms.CharField(
        required=False,
        label="Canary addresses",
        help_text="Separated by commas: single addresses or networks, such as 203.0.113.7 or 2001:db8::/48.",
        widget=forms.TextInput(attrs=_NOT_COMPLETED),
    )
    bake_seconds = NumberField(
        min_value=0,
        max_value=LONGEST_BAKE_SECONDS,
        label="Bake time after each step, in seconds",
        help_text="How long each step is left alone before the next one may go on.",
    )
    gates = forms.MultipleChoiceField(required=False, label="Extra approvals")
    automatic = forms.MultipleChoiceField(required=False, label="Steps that start by themselves")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Which steps there are depends on the other fields: the service says which gates are possible.
        for name in ("gates", "automatic"):
            self.fields[name].valid_value = lambda value: True  # type: ignore[attr-defined]

    def clean_weights(self) -> tuple[int, ...]:
        """The shares as numbers."""
        try:
            return parse_weights(self.cleaned_data["weights"])
        except DomainError as error:
            raise forms.ValidationError(error.message, code=error.code) from error

    def clean_canary_addresses(self) -> tuple[str, ...] | None:
        """The addresses in their usual form; nothing where the field was not sent: then the service's own count."""
        if "canary_addresses" not in self.data:
            return None
        try:
            return parse_addresses(self.cleaned_data["canary_addresses"])
        except DomainError as error:
            raise forms.ValidationError(error.message, code=error.code) from error

    def clean(self) -> dict[str, Any]:
        """The bake times of single steps, by their key: each has a field of its own, and most are empty."""
        texts = {
            name.removeprefix(BAKE_OF): text for name, text in self.data.items() if name.startswith(BAKE_OF)
        }
        try:
            self.cleaned_data["bakes"] = parse_bakes(texts)
        except DomainError as error:
            self.add_error("bake_seconds", error.message)
        return self.cleaned_data


class AgainForm(StyledForm):
    """What people say to a release; to one of a version of the history it is all."""

    gives_up_old_version = forms.BooleanField(required=False)
    ticket = forms.CharField(
        required=False,
        max_length=LONGEST,
        label="Ticket",
        help_text="Its address or key, where the policy asks for one.",
        widget=forms.TextInput(attrs=_NOT_COMPLETED),
    )
    reason = forms.CharField(
        required=False,
        max_length=2000,
        label="Reason",
        help_text="For those who approve, and for the trail.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class ReleaseForm(RolloutForm, AgainForm):
    """What a release brings, and its steps."""

    tag = forms.RegexField(
        regex=rf"^{TAG}\Z",
        label="Image",
        error_messages={"invalid": "This is no tag of an image.", "required": "Choose an image."},
    )
    keep_plan = forms.BooleanField(required=False, label="Make this the usual plan of the service")


class RollbackReasonForm(forms.Form):
    """Why the emergency button was pressed: one of the usual reasons, or a text, or both."""

    CHOICES = ("Errors", "Too slow", "Wrong results", "Users complain", "Pressed by mistake", "An exercise")
    choice = forms.ChoiceField(choices=[(choice, choice) for choice in CHOICES], required=False)
    text = forms.CharField(max_length=1900, required=False, strip=True)

    @property
    def reason(self) -> str:
        """Both in one text; "" where nothing was said."""
        return ": ".join(filter(None, (self.cleaned_data["choice"], self.cleaned_data["text"])))


class ShownPlanForm(forms.Form):
    """What a decision is bound to, as the page showed it, and what the person says."""

    sha256 = forms.RegexField(regex=r"^[0-9a-f]{64}\Z", widget=forms.HiddenInput)
    changes_digest = forms.RegexField(regex=r"^[0-9a-f]{64}\Z", widget=forms.HiddenInput)
    comment = forms.CharField(required=False, max_length=2000)

    @property
    def problem(self) -> str:
        """What to say where it came in another form than the page's; "" where it did not."""
        said = self.errors.get("comment")
        if said:
            return str(said[0])
        unclear = "The page did not say which plan it showed: look at it, and decide again."
        return "" if self.is_valid() else unclear

    @property
    def identity(self) -> PlanIdentity:
        """The plan that the page showed."""
        shown = self.cleaned_data
        return PlanIdentity(sha256=shown["sha256"], changes_digest=shown["changes_digest"])


class RoutinePlansForm(forms.Form):
    """Several plans that a list showed: each its step's id and both digests, with colons between them."""

    plan = forms.MultipleChoiceField()

    _SHOWN = re.compile(r"([0-9a-f-]{36}):([0-9a-f]{64}):([0-9a-f]{64})")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["plan"].valid_value = self._SHOWN.fullmatch  # type: ignore[attr-defined]

    def clean_plan(self) -> dict[UUID, PlanIdentity]:
        """The plans by their step."""
        shown = {}
        for text in self.cleaned_data["plan"]:
            step, sha256, digest = text.split(":")
            try:
                shown[UUID(step)] = PlanIdentity(sha256=sha256, changes_digest=digest)
            except ValueError as error:
                raise forms.ValidationError("This is no plan of the list.") from error
        return shown
