"""The shape of what people send; the rules behind it are in ``releases.domain``."""

from typing import Any

from django import forms

from releases.domain.errors import DomainError
from releases.domain.rollout_plan import parse_weights

LONGEST_BAKE_SECONDS = 86_400


class ReleaseForm(forms.Form):
    """What a release brings and the steps it takes; ``gates`` are keys of steps such as "shift-25"."""

    tag = forms.RegexField(
        regex=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$",
        label="Image",
        error_messages={"invalid": "This is no tag of an image.", "required": "Choose an image."},
    )
    weights = forms.CharField(label="Shares of users, in percent")
    canary = forms.BooleanField(required=False, label="Canary first")
    bake_seconds = forms.IntegerField(
        min_value=0, max_value=LONGEST_BAKE_SECONDS, label="Bake time after each step, in seconds"
    )
    gates = forms.MultipleChoiceField(required=False, label="Extra approvals")
    reason = forms.CharField(required=False, max_length=2000, label="Reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Which steps there are depends on the other fields: the service says which gates are possible.
        self.fields["gates"].valid_value = lambda value: True  # type: ignore[attr-defined]

    def clean_weights(self) -> tuple[int, ...]:
        """The shares as numbers."""
        try:
            return parse_weights(self.cleaned_data["weights"])
        except DomainError as error:
            raise forms.ValidationError(error.message, code=error.code) from error


class ShownPlanForm(forms.Form):
    """What a decision is bound to, as the page showed it, and what the person says."""

    sha256 = forms.RegexField(regex=r"^[0-9a-f]{64}$", widget=forms.HiddenInput)
    changes_digest = forms.RegexField(regex=r"^[0-9a-f]{64}$", widget=forms.HiddenInput)
    comment = forms.CharField(required=False, max_length=2000)


class TrailFilter(forms.Form):
    """Which events of the trail are wanted; all of it is in the address. What makes no sense filters nothing."""

    who = forms.CharField(required=False, max_length=200, label="Person")
    what = forms.CharField(required=False, max_length=80, label="What")
    on = forms.DateField(required=False, label="Day")
    before = forms.UUIDField(required=False, widget=forms.HiddenInput)
