"""The shape of a version's configuration as people type it; the rules behind it are in ``releases.domain``.

It begins with what the users have now, and what isn't sent stays as it is there. Secret values are never sent to the
page: each has a field of its own that is empty, and stays as it is unless something is written into it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from releases.domain.versions.configuration import (
    ARCHITECTURES,
    NO_RESERVE,
    TRACING_MODES,
    Configuration,
    InvalidConfiguration,
    complete,
    secret_names,
)
from releases.domain.versions.configuration_text import (
    arguments_as_text,
    parse_arguments,
    parse_list,
    parse_variables,
    variables_as_text,
    whole_number,
)
from releases.domain.versions.environment import token_of
from releases.services.versions.configurations import WantedConfiguration

NUMBERS = ("memory_size", "timeout", "ephemeral_storage")
IMAGE_CONFIG = ("command", "entry_point", "working_directory")


def _text(label: str, help_text: str = "", *, numeric: bool = False) -> forms.CharField:
    attributes = {"class": "form-control", "autocomplete": "off"} | (
        {"inputmode": "numeric"} if numeric else {}
    )
    return forms.CharField(
        required=False, label=label, help_text=help_text, widget=forms.TextInput(attributes), max_length=2_000
    )


def _lines(label: str, help_text: str, *, rows: int = 3) -> forms.CharField:
    attributes = {"class": "form-control lines", "rows": rows, "autocomplete": "off", "spellcheck": "false"}
    return forms.CharField(
        required=False, label=label, help_text=help_text, strip=False, widget=forms.Textarea(attributes)
    )


def _choice(label: str, values: tuple[str, ...]) -> forms.ChoiceField:
    widget = forms.Select({"class": "form-select"})
    return forms.ChoiceField(required=False, label=label, choices=[(v, v) for v in values], widget=widget)


class ConfigurationForm(forms.Form):
    """Every field is text; ``wanted`` is what it says once the form is valid."""

    memory_size = _text("Memory, in MB", "128 to 10240. More memory also means more CPU.", numeric=True)
    timeout = _text("Timeout, in seconds", "1 to 900.", numeric=True)
    environment = _lines(
        "Environment variables", "NAME=value, one on each line. What is secret belongs below.", rows=5
    )
    secrets = _lines(
        "New secret variables",
        "NAME=value, one on each line. Stored encrypted and never shown again. After an error write them again.",
    )
    architectures = _choice("Architecture", ARCHITECTURES)
    ephemeral_storage = _text("Temporary storage, in MB", "512 to 10240, under /tmp.", numeric=True)
    command = _lines("Command", "One argument on each line. Empty: the image's own.")
    entry_point = _lines("Entry point", "One argument on each line. Empty: the image's own.")
    working_directory = _text("Working directory", "Empty: the image's own.")
    subnet_ids = _text("Subnets", "Their ids, with commas between them. Empty: outside of any VPC.")
    security_group_ids = _text("Security groups", "Their ids, with commas between them.")
    tracing_mode = _choice("Tracing by X-Ray", TRACING_MODES)
    reserved_concurrency = _text(
        "Reserved concurrency", "How many calls at a time are kept free for it. Empty: none.", numeric=True
    )

    def __init__(self, data: QueryDict | None = None, *, present: Configuration) -> None:
        self.secret_names = secret_names(present)
        self._sent = data
        as_typed = _as_typed(present)
        super().__init__(None if data is None else {**as_typed, **data.dict()}, initial=as_typed)

    @property
    def wanted(self) -> WantedConfiguration:
        """What to ask for."""
        wanted: WantedConfiguration = self.cleaned_data["wanted"]
        return wanted

    def clean(self) -> dict[str, Any]:
        """Read the texts; each that can't be read is said at its field."""
        typed = self.cleaned_data
        settings = {name: self._read(name, read) for name, read in _READ.items() if name in typed}
        image = {name: settings.pop(name, None) for name in IMAGE_CONFIG}
        secrets = {**self._new_values(), **(self._read("secrets", _variables) or {})}
        kept = frozenset(self.secret_names) - frozenset(self._sent_list("forget")) - secrets.keys()
        typed["wanted"] = WantedConfiguration(
            settings={**settings, "image_config": image}, secrets=secrets, kept=kept
        )
        # A page that says what is wrong has everything that was typed but the secrets.
        self.data = {**self.data, "secrets": ""}
        return typed

    def refuse(self, error: InvalidConfiguration) -> None:
        """Say at its field what the rules said."""
        self.add_error(error.field if error.field in self.fields else None, error.message)

    def _read(self, name: str, read: Callable[[str, str], object]) -> Any:  # noqa: ANN401 - as the field has it
        try:
            return read(name, self.cleaned_data.get(name) or "")
        except InvalidConfiguration as error:
            self.refuse(error)
            return None

    def _new_values(self) -> dict[str, str]:
        """What was written into the fields of the secrets that are there."""
        sent = self._sent if self._sent is not None else QueryDict()
        written = {name: sent.get(f"secret_{name}", "") for name in self.secret_names}
        return {name: value for name, value in written.items() if value}

    def _sent_list(self, name: str) -> list[str]:
        return self._sent.getlist(name) if self._sent is not None else []


def _as_typed(configuration: Configuration) -> dict[str, Any]:
    """A configuration as people would type it; without its secrets."""
    fields = complete(configuration)
    image: Mapping[str, Any] = fields["image_config"] or {}
    plain = {name: value for name, value in fields["environment"].items() if token_of(value) is None}
    reserved = fields["reserved_concurrency"]
    return {
        **{name: str(fields[name]) for name in NUMBERS},
        "architectures": fields["architectures"][0],
        "tracing_mode": fields["tracing_mode"],
        "environment": variables_as_text(plain),
        "subnet_ids": ", ".join(fields["subnet_ids"]),
        "security_group_ids": ", ".join(fields["security_group_ids"]),
        "command": arguments_as_text(image.get("command", ())),
        "entry_point": arguments_as_text(image.get("entry_point", ())),
        "working_directory": image.get("working_directory", ""),
        "reserved_concurrency": "" if reserved == NO_RESERVE else str(reserved),
    }


def _variables(name: str, text: str) -> dict[str, str]:
    return parse_variables(name, text)


def _reserved(name: str, text: str) -> int:
    return whole_number(name, text) if text.strip() else NO_RESERVE


_READ: Mapping[str, Callable[[str, str], object]] = {
    **dict.fromkeys(NUMBERS, whole_number),
    "environment": _variables,
    "architectures": lambda name, text: [text],
    "tracing_mode": lambda name, text: text,
    "subnet_ids": lambda name, text: parse_list(text),
    "security_group_ids": lambda name, text: parse_list(text),
    "command": lambda name, text: parse_arguments(text),
    "entry_point": lambda name, text: parse_arguments(text),
    "working_directory": lambda name, text: text,
    "reserved_concurrency": _reserved,
}
