"""What of the trail is wanted, as an address says it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms

from audit.actions import ACTIONS
from audit.search import Search
from releases.forms.fields import NumberField, StyledForm
from releases.models import Release
from releases.selectors.trail import Seen

DAY = {"type": "date"}


class TrailForm(StyledForm):
    """All of a search: the page's address has it, so that it can be shared, and so has the export."""

    q = forms.CharField(required=False, max_length=200, label="Words")
    who = forms.CharField(required=False, max_length=200, label="Who")
    what = forms.ChoiceField(required=False, label="What", choices=[("", "Everything"), *ACTIONS.items()])
    service = forms.CharField(required=False, max_length=63, label="Service")
    release = NumberField(required=False, min_value=1, max_value=999_999_999, label="Release")
    since = forms.DateField(required=False, label="From (UTC)", widget=forms.DateInput(attrs=DAY))
    until = forms.DateField(required=False, label="To (UTC)", widget=forms.DateInput(attrs=DAY))
    request = forms.RegexField(r"^[0-9a-f-]{1,64}\Z", required=False, label="Request's id")
    before = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, seen: Seen, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seen = seen

    def clean_q(self) -> str:
        """Words that an event can have."""
        text = str(self.cleaned_data["q"])
        if text and not any(map(str.isalnum, text)):
            raise forms.ValidationError("Type a word, or the beginning of one.")
        return text

    def clean_service(self) -> str:
        """The name of a service of theirs."""
        name = str(self.cleaned_data["service"])
        if name and name not in self._seen.services.values():
            raise forms.ValidationError("You see the trail of no service that is called so.")
        return name

    def clean(self) -> dict[str, Any]:
        """A release is one of a service, and a period has an end after its beginning."""
        given = self.cleaned_data
        if given.get("release") and "service" in given:
            self._find_release(given["service"], given["release"])
        if given.get("since") and given.get("until") and given["until"] < given["since"]:
            self.add_error("until", "The period ends before it begins.")
        return given

    def _find_release(self, service: str, number: int) -> None:
        found = Release.objects.filter(service_id__in=self._ids_of(service), number=number).values_list(
            "pk", flat=True
        )
        if not service:
            self.add_error("release", "Name its service too: each service counts its own releases.")
        elif not found:
            self.add_error("release", f"{service} has no release of this number.")
        else:
            self.cleaned_data["release_id"] = str(found[0])

    def _ids_of(self, service: str) -> list[str]:
        return [identifier for identifier, name in self._seen.services.items() if name == service]

    @property
    def search(self) -> Search:
        """What is wanted, of what the person may see."""
        given = self.cleaned_data
        return Search(
            service_ids=self._ids_of(given["service"]) if given["service"] else self._seen.service_ids,
            actor=given["who"],
            action=given["what"],
            release_id=given.get("release_id", ""),
            request_id=given["request"],
            text=given["q"],
            since=_midnight(given["since"]),
            until=_midnight(given["until"] and given["until"] + timedelta(days=1)),
        )

    @property
    def begins_before(self) -> UUID | None:
        """Before which event the page begins."""
        identifier: UUID | None = self.cleaned_data["before"]
        return identifier

    @property
    def asked(self) -> dict[str, str]:
        """What was asked for, as it was typed, without the page: for the other addresses of the same search."""
        return {name: self.data[name] for name in self.fields if name != "before" and self.data.get(name)}


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time.min, UTC) if day else None
