"""The shape of what people send about a policy; the rules behind it are in ``releases.domain.approval.gate_policy``."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.forms import BoundField

from releases.domain.approval.freezes import MOST_WINDOWS
from releases.domain.approval.gate_policy import (
    LONGEST_SECONDS,
    MOST_SLOTS,
    AfterWait,
    Gate,
    Need,
    Policy,
    to_columns,
)
from releases.forms.fields import LinesField, NumberField, StyledForm

NEED, PEOPLE = "need_", "people_"
"""Before a gate's name: its two fields."""

_TITLES = {
    Gate.REQUEST: "The request",
    Gate.CANARY: "The canary",
    Gate.SHIFT: "A shift of users",
    Gate.PROMOTE: "The promotion",
    Gate.SETTINGS: "Other settings",
    Gate.REMOVE: "The removal",
}
_AS_PLANNED = (Need.AS_PLANNED.value, "as the release's plan says")
_ALWAYS, _NEVER = (Need.ALWAYS.value, "always"), (Need.NEVER.value, "never")
_NEEDS = {
    Gate.REQUEST: [(Need.AS_PLANNED.value, "no"), _ALWAYS],
    Gate.CANARY: [_AS_PLANNED, _ALWAYS, _NEVER],
    Gate.SHIFT: [_AS_PLANNED, _ALWAYS, _NEVER],
    Gate.PROMOTE: [_AS_PLANNED, _ALWAYS, _NEVER],
}
_AFTER_WAIT = [
    (AfterWait.HOLD.value, "hold: the release is paused"),
    (AfterWait.CANCEL.value, "cancel: it ends; where somebody was sent to the new version it is paused"),
    (AfterWait.ROLL_BACK.value, "roll back: everyone is brought back, and it ends"),
]
_WINDOW = (
    "One a line: 2026-12-20 18:00 - 2027-01-04 08:00 Europe/Berlin: Christmas, or Fri 16:00 - Mon 08:00 UTC."
)
_MOST_MINUTES = LONGEST_SECONDS // 60


class PolicyForm(StyledForm):
    """Each gate has a field for whether it asks, where that can be chosen, and one for the people whom it asks."""

    people_help = (
        f"Who approves: one person a line, at most {MOST_SLOTS}. A line is “anybody” who may approve, or groups and "
        "roles, as in “SRE or the role manager”."
    )

    four_eyes = forms.BooleanField(
        required=False,
        label="Four eyes: neither who asked for it nor who changed it last may approve it",
    )
    one_gate_each = forms.BooleanField(
        required=False, label="Whoever approved at one gate of a release does not count at another"
    )
    ticket = forms.BooleanField(required=False, label="A request names a ticket")
    approval_minutes = NumberField(
        min_value=0,
        max_value=_MOST_MINUTES,
        label="How long an approval counts, in minutes",
        help_text="0: until it is used.",
    )
    wait_minutes = NumberField(
        min_value=0,
        max_value=_MOST_MINUTES,
        label="How long a gate waits, in minutes",
        help_text="0: for ever.",
    )
    after_wait = forms.ChoiceField(choices=_AFTER_WAIT, label="What comes then")
    freezes = LinesField(
        label="Freeze windows, in which nothing begins",
        help_text=f"{_WINDOW} What has begun may finish, and a rollback goes always. At most {MOST_WINDOWS}.",
    )
    allowed_hours = LinesField(
        label="Allowed hours, outside of which nothing begins",
        help_text="One a line, such as Mon-Fri 09:00 - 17:00 Europe/Berlin. None: at any time.",
    )
    break_glass = LinesField(
        label="Who may break the glass",
        help_text="Groups, or roles as in “the role manager”, one a line: each of them may open a gate alone, with a "
        "reason, and somebody else reviews it afterwards. None: nobody may.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for gate, choices in _NEEDS.items():
            self.fields[f"{NEED}{gate}"] = forms.ChoiceField(
                choices=choices,
                label=f"{_TITLES[gate]} needs an approval",
                widget=forms.Select(attrs={"class": "form-select"}),
            )
        for gate in _PEOPLE:
            name = f"{PEOPLE}{gate}"
            self.fields[name] = LinesField(label=f"{_TITLES[gate]}: who approves")
            self.fields[name].widget.attrs |= {"class": "form-control", "rows": 2}

    @property
    def of_gates(self) -> list[tuple[BoundField | None, BoundField]]:
        """Both fields of each gate, in the order of a release; None where an approval is needed always."""
        return [(self[f"{NEED}{gate}"] if gate in _NEEDS else None, self._people(gate)) for gate in _PEOPLE]

    @property
    def of_all(self) -> list[BoundField]:
        """The fields that are about every gate."""
        return [self[name] for name in self.base_fields]

    def _people(self, gate: Gate) -> BoundField:
        """The field for whom a gate asks: all of them share one help, so Django does not say what describes each."""
        field = self[f"{PEOPLE}{gate}"]
        error = f" {field.auto_id}_error" if field.errors else ""
        field.field.widget.attrs["aria-describedby"] = f"people-help{error}"
        return field

    def wanted(self) -> dict[str, Any]:
        """What was sent in the form in which a policy is kept."""
        sent = self.cleaned_data
        gates = {
            gate.value: {
                "need": sent.get(f"{NEED}{gate}", Need.AS_PLANNED.value),
                "slots": list(sent[f"{PEOPLE}{gate}"]),
            }
            for gate in _PEOPLE
        }
        return {
            "gates": {name: rule for name, rule in gates.items() if rule != _USUAL},
            "four_eyes": sent["four_eyes"],
            "one_gate_each": sent["one_gate_each"],
            "ticket": sent["ticket"],
            "approval_seconds": sent["approval_minutes"] * 60,
            "wait_seconds": sent["wait_minutes"] * 60,
            "after_wait": sent["after_wait"],
            "freezes": list(sent["freezes"]),
            "allowed_hours": list(sent["allowed_hours"]),
            "break_glass": list(sent["break_glass"]),
        }

    def refuse(self, field: str, message: str) -> None:
        """Say at its field what the rules have against it."""
        names = (f"{PEOPLE}{field}", field, field.replace("_seconds", "_minutes"))
        self.add_error(next((name for name in names if name in self.fields), None), message)


_PEOPLE = (Gate.REQUEST, Gate.CANARY, Gate.SHIFT, Gate.PROMOTE, Gate.SETTINGS, Gate.REMOVE)
_USUAL = {"need": Need.AS_PLANNED.value, "slots": ["anybody"]}


def as_typed(policy: Policy) -> Mapping[str, Any]:
    """A policy as the form's fields have it."""
    rules = {gate: policy.rule(gate) for gate in _PEOPLE}
    kept = to_columns(policy)
    return {
        "four_eyes": policy.four_eyes,
        "one_gate_each": policy.one_gate_each,
        "ticket": policy.ticket,
        "approval_minutes": policy.approval_seconds // 60,
        "wait_minutes": policy.wait_seconds // 60,
        "after_wait": policy.after_wait.value,
        "freezes": "\n".join(kept.get("freezes", ())),
        "allowed_hours": "\n".join(kept.get("allowed_hours", ())),
        "break_glass": "\n".join(map(str, policy.break_glass)),
        **{f"{NEED}{gate}": rule.need.value for gate, rule in rules.items() if gate in _NEEDS},
        **{f"{PEOPLE}{gate}": "\n".join(map(str, rule.slots)) for gate, rule in rules.items()},
    }
