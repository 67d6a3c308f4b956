"""The shape of what people send about a service's settings; the rules behind it are in ``releases.domain.settings``."""

from typing import Any

from django import forms

from releases.domain.errors import DomainError
from releases.domain.rollout_plan import parse_weights
from releases.domain.settings import RETENTIONS, Settings

LONGEST_TEXT = 4000
LONGEST_SECONDS = 30 * 86_400
KEPT = [("", "as Lambda makes them"), *((str(days), f"{days} days") for days in RETENTIONS)]


class StyledForm(forms.Form):
    """A form whose fields look like those of the other pages; choices that are all shown keep their own look."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if not isinstance(field.widget, forms.RadioSelect):
                is_list = isinstance(field.widget, forms.Select)
                field.widget.attrs["class"] = "form-select" if is_list else "form-control"


class LinesField(forms.CharField):
    """One value a line, as a tuple; empty lines and the spaces around are left out."""

    widget = forms.Textarea(attrs={"rows": 3})

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=LONGEST_TEXT, **options)

    def clean(self, value: Any) -> Any:  # noqa: ANN401 - as Django's fields have it
        """The lines."""
        text: str = super().clean(value)
        return tuple(line.strip() for line in text.splitlines() if line.strip())


class TagsField(LinesField):
    """Tags as lines of "name=value"."""

    def clean(self, value: Any) -> Any:  # noqa: ANN401 - likewise
        """The tags by name."""
        lines: tuple[str, ...] = super().clean(value)
        pairs = [line.partition("=") for line in lines]
        if not all(mark for _, mark, _ in pairs):
            raise forms.ValidationError("Write each tag as name=value, one a line.")
        tags = {name.strip(): text.strip() for name, _, text in pairs}
        if len(tags) < len(pairs):
            raise forms.ValidationError("Each name of a tag once.")
        return tags


class SettingsForm(StyledForm):
    """What the service's rules ask for, its tags, its logs, what is kept ready; and why it is changed."""

    hostnames = LinesField(label="Hosts", help_text="One a line, * and ? as wildcards. None: any host.")
    paths = LinesField(label="Paths", help_text="One a line, such as /api/*. None: every path.")
    priority = forms.IntegerField(
        min_value=1,
        max_value=50_000,
        label="Priority",
        help_text="Of its traffic rule; a smaller one is asked first.",
    )
    canary_slots = forms.IntegerField(
        min_value=1,
        max_value=10,
        label="Canary slots",
        help_text="Rules for addresses. More can be added, none taken away.",
    )
    tags = TagsField(label="Tags", help_text="name=value, one a line, on all that the service has.")
    log_retention_days = forms.TypedChoiceField(
        choices=KEPT, coerce=int, empty_value=None, required=False, label="How long logs are kept"
    )
    stickiness_seconds = forms.IntegerField(
        min_value=0,
        max_value=604_800,
        label="Stickiness, in seconds",
        help_text="While users are split each one stays with a version for so long. 0: off.",
    )
    provisioned_concurrency = forms.IntegerField(
        min_value=0,
        max_value=1000,
        label="Provisioned concurrency",
        help_text="Of each colour, always; it costs money. 0: none.",
    )
    reason = forms.CharField(
        max_length=2000, label="Reason", help_text="For those who approve, and for the trail."
    )

    def wanted(self) -> Settings:
        """What was sent, as settings."""
        values = {name: value for name, value in self.cleaned_data.items() if name != "reason"}
        return Settings(**values)


def as_typed(settings: Settings) -> dict[str, object]:
    """Settings as they are typed into the form."""
    return {
        **vars(settings),
        "hostnames": "\n".join(settings.hostnames),
        "paths": "\n".join(settings.paths),
        "tags": "\n".join(f"{name}={value}" for name, value in sorted(settings.tags.items())),
    }


class DefaultsForm(StyledForm):
    """What releases begin with."""

    weights = forms.CharField(label="Shares of users, in percent", help_text="Rising, separated by commas.")
    bake_seconds = forms.IntegerField(
        min_value=0, max_value=86_400, label="Bake time after each step, in seconds"
    )
    settle_seconds = forms.IntegerField(
        min_value=1,
        max_value=3600,
        label="Settle time, in seconds",
        help_text="So long nothing touches a function after its traffic was taken away.",
    )
    rollback_window_seconds = forms.IntegerField(
        min_value=0,
        max_value=LONGEST_SECONDS,
        label="Rollback window, in seconds",
        help_text="So long the old version stays untouched after a promotion.",
    )

    def clean_weights(self) -> tuple[int, ...]:
        """The shares as numbers."""
        try:
            return parse_weights(self.cleaned_data["weights"])
        except DomainError as error:
            raise forms.ValidationError(error.message, code=error.code) from error


class RemovalForm(StyledForm):
    """The name, typed; the reason; and whether requests that may still come are given up."""

    typed_name = forms.CharField(required=False, max_length=80, label="Type the service's name")
    removal_reason = forms.CharField(required=False, max_length=2000, label="Reason")
    gives_up_requests = forms.TypedChoiceField(
        choices=[
            ("no", "Nobody uses it: no request has reached it"),
            ("yes", "Give its requests up: whoever still asks for it gets no answer from it"),
        ],
        coerce=lambda value: value == "yes",
        initial="no",
        widget=forms.RadioSelect,
        label="Its traffic rule always forwards somewhere. Why may it go?",
    )
