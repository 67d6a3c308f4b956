"""What a report is to be about, as its address says it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict
from django.utils import timezone

from releases.domain.reports.period_report import Period

# Far enough from the ends of the calendar that days can be added.
IN_REACH = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2100, 1, 1))]
USUAL_DAYS = 30
MOST_DAYS = 1_100


def _day(label: str) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date", "class": "form-control"})
    return forms.DateField(required=False, label=label, widget=widget, validators=IN_REACH)


class ReportForm(forms.Form):
    """All of it is in the address, so that it can be shared; without a period it is the last thirty days."""

    since = _day("From (UTC)")
    until = _day("To (UTC)")
    environment = forms.ChoiceField(required=False, label="Environment")
    service = forms.MultipleChoiceField(required=False, label="Services (none chosen: all)")
    on = _day("Access on (UTC)")

    def __init__(self, data: QueryDict, *, services: Mapping[str, str]) -> None:
        """``services`` are the environments of those that the person may see, by name."""
        self._services = services
        self._wanted = [name for name in data.getlist("service") if name]
        given = data.copy()
        given.setlist("service", self._wanted)
        super().__init__(given)
        choices = {
            "environment": [("", "All"), *((name, name) for name in sorted(set(services.values())))],
            "service": [(name, name) for name in sorted(services)],
        }
        for name, offered in choices.items():
            field = self.fields[name]
            field.widget.attrs["class"] = "form-select"
            setattr(field, "choices", offered)  # noqa: B010 - not in the stubs
        self.fields["service"].widget.attrs["size"] = 4

    def clean(self) -> dict[str, Any]:
        """A period has an end after its beginning, and isn't longer than three years; a report is about something."""
        given = self.cleaned_data
        if given.get("service") and "environment" in given and not self.chosen:
            self.add_error("service", "None of these is in that environment: choose others, or another one.")
        if "since" in given and "until" in given:
            if self.last_day < self.first_day:
                self.add_error("until", "The period ends before it begins.")
            elif (self.last_day - self.first_day).days > MOST_DAYS:
                self.add_error("since", "A report is about three years at most: choose a later day.")
        return given

    @property
    def has_services(self) -> bool:
        """Whether there is anything that it can be about."""
        return bool(self._services)

    @property
    def chosen(self) -> list[str]:
        """The names of the services that it is about."""
        wanted, place = self.cleaned_data["service"], self.cleaned_data["environment"]
        return [
            name
            for name, environment in self._services.items()
            if (not wanted or name in wanted) and place in ("", environment)
        ]

    @property
    def first_day(self) -> date:
        """The first day of the period."""
        since: date | None = self.cleaned_data["since"]
        return since or self.last_day - timedelta(days=USUAL_DAYS - 1)

    @property
    def last_day(self) -> date:
        """The last one, all of which is in the period."""
        until: date | None = self.cleaned_data["until"]
        return until or max(timezone.now().date(), self.cleaned_data["since"] or date.min)

    @property
    def period(self) -> Period:
        """From midnight to midnight."""
        return Period(begins=_midnight(self.first_day), ends=_midnight(self.last_day + timedelta(days=1)))

    @property
    def access_day(self) -> date:
        """The day at whose end it is told who could approve."""
        on: date | None = self.cleaned_data["on"]
        return on or self.last_day

    @property
    def access_before(self) -> datetime:
        """The end of that day."""
        return _midnight(self.access_day + timedelta(days=1))

    @property
    def asked(self) -> dict[str, str | list[str]]:
        """What of the address is filled in and known; the services are a list."""
        single = {name: self.data[name] for name in self.fields if name != "service" and self.data.get(name)}
        return single | ({"service": self._wanted} if self._wanted else {})


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
