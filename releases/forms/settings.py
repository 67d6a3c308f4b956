"""The shape of what people send about a service's settings; ``releases.domain.provisioning.settings`` has the rules."""

from typing import Any

from django import forms

from releases.domain.canary import HEADER_VALUE_SHAPE
from releases.domain.provisioning.settings import RETENTIONS, Settings
from releases.domain.rollout_plan import Rotation
from releases.forms.fields import LinesField, NumberField, StyledForm
from releases.forms.release import RolloutForm
from releases.services.defaults import Defaults

LONGEST_SECONDS = 30 * 86_400
ROTATIONS = [
    (
        Rotation.COPY.value,
        "Copy: the promoted version is put on the stable colour too, and everyone moves there. Three applies; "
        "the stable colour stays the same.",
    ),
    (
        Rotation.SWAP.value,
        "Swap: the promoted colour becomes the stable one. Two applies, and nobody is moved; the stable colour "
        "changes with each release.",
    ),
]
KEPT = [("", "as Lambda makes them"), *((str(days), f"{days} days") for days in RETENTIONS)]


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
    priority = NumberField(
        min_value=1,
        max_value=50_000,
        label="Priority",
        help_text="Of its traffic rule; a smaller one is asked first.",
    )
    canary_slots = NumberField(
        min_value=1,
        max_value=10,
        label="Canary slots",
        help_text="Rules for addresses. More can be added, none taken away.",
    )
    tags = TagsField(label="Tags", help_text="name=value, one a line, on all that the service has.")
    log_retention_days = forms.TypedChoiceField(
        choices=KEPT, coerce=int, empty_value=None, required=False, label="How long logs are kept"
    )
    stickiness_seconds = NumberField(
        min_value=0,
        max_value=604_800,
        label="Stickiness, in seconds",
        help_text="While users are split each one stays with a version for so long. 0: off.",
    )
    provisioned_concurrency = NumberField(
        min_value=0,
        max_value=1000,
        label="Provisioned concurrency",
        help_text="Of each colour, always; it costs money. 0: none.",
    )
    canary_header_name = forms.CharField(
        required=False,
        max_length=40,
        label="Canary header",
        help_text="For testers whose addresses a proxy or CDN hides: a name of your own, such as X-Canary. Its rule "
        "takes the priority before the slots. It can be changed, not removed.",
    )
    canary_header_value = forms.CharField(
        required=False,
        max_length=128,
        label="Secret value of the canary header",
        help_text=f"{HEADER_VALUE_SHAPE}. It is never shown again; empty leaves it as it is.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    reason = forms.CharField(
        max_length=2000, label="Reason", help_text="For those who approve, and for the trail."
    )

    def wanted(self) -> Settings:
        """What was sent, as settings; the header's value is apart, since it is not stored as it is typed."""
        apart = {"reason", "canary_header_value"}
        values = {name: value for name, value in self.cleaned_data.items() if name not in apart}
        return Settings(**values)


def as_typed(settings: Settings) -> dict[str, object]:
    """Settings as they are typed into the form, without the header's value, which has another field there."""
    return {
        **vars(settings),
        "canary_header_value": "",
        "hostnames": "\n".join(settings.hostnames),
        "paths": "\n".join(settings.paths),
        "tags": "\n".join(f"{name}={value}" for name, value in sorted(settings.tags.items())),
    }


class DefaultsForm(RolloutForm):
    """What releases begin with: the usual steps, and how room is made for the next version."""

    rotation = forms.ChoiceField(
        choices=ROTATIONS, widget=forms.RadioSelect, label="Before the next release, after a promotion"
    )
    settle_seconds = NumberField(
        min_value=1,
        max_value=3600,
        label="Settle time, in seconds",
        help_text="So long nothing touches a function after its traffic was taken away.",
    )
    rollback_window_seconds = NumberField(
        min_value=0,
        max_value=LONGEST_SECONDS,
        label="Rollback window, in seconds",
        help_text="So long the old version stays untouched after a promotion.",
    )

    def wanted(self) -> Defaults:
        """What was sent, as defaults."""
        sent = self.cleaned_data
        return Defaults(
            weights=sent["weights"],
            canary_first=sent["canary"],
            canary_addresses=sent["canary_addresses"] or (),
            extra_gates=sent["gates"],
            automatic_steps=sent["automatic"],
            bake_seconds=sent["bake_seconds"],
            bakes=sent["bakes"],
            rotation=Rotation(sent["rotation"]),
            settle_seconds=sent["settle_seconds"],
            rollback_window_seconds=sent["rollback_window_seconds"],
        )


class RemovalForm(StyledForm):
    """Whether requests that may still come are given up; the name, typed; and the reason."""

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
    typed_name = forms.CharField(required=False, max_length=80, label="Type the service's name")
    removal_reason = forms.CharField(required=False, max_length=2000, label="Reason")
