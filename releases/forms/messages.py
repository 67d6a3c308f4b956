"""The shape of what people say about messages; the rules are in ``releases.domain`` and ``releases.services``."""

from django import forms

from releases.domain.messaging.messages import MessageKind, WebhookStyle
from releases.domain.messaging.outgoing import LONGEST_ADDRESS
from releases.forms.fields import StyledForm
from releases.services.messaging.webhooks import WantedWebhook

_STYLES = [
    (WebhookStyle.JSON.value, "Plain JSON, signed"),
    (WebhookStyle.SLACK.value, "Slack, an incoming webhook"),
    (WebhookStyle.TEAMS.value, "Teams, a workflow's webhook"),
]


class WebhookForm(StyledForm):
    """A webhook as somebody wants it. Address and secret are never shown again; left empty they stay."""

    style = forms.ChoiceField(choices=_STYLES, label="Form")
    address = forms.CharField(
        required=False,
        max_length=LONGEST_ADDRESS,
        label="Address",
        help_text="It begins with https://. Left empty it stays as it is.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    secret = forms.CharField(
        required=False,
        max_length=200,
        label="Secret",
        help_text="To sign with, at least 16 characters; plain JSON needs one. Left empty it stays as it is.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def wanted(self) -> WantedWebhook:
        """What was typed, once it is valid."""
        said = self.cleaned_data
        return WantedWebhook(
            style=WebhookStyle(said["style"]), address=said["address"], secret=said["secret"]
        )


class MailsForm(StyledForm):
    """Which mails somebody wants, and where."""

    email = forms.EmailField(
        required=False,
        max_length=254,
        label="Your e-mail address",
        help_text="Without one you get no mails.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    kinds = forms.MultipleChoiceField(
        required=False,
        choices=[(kind.value, kind.label) for kind in MessageKind if kind.may_be_unwanted],
        widget=forms.CheckboxSelectMultiple,
        label="Mails when",
    )

    def wanted(self) -> frozenset[MessageKind]:
        """The kinds that were ticked."""
        return frozenset(map(MessageKind, self.cleaned_data["kinds"]))
