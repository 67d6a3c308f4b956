"""Numbers that people type: plain digits within a range, which is named (FAULTS P1)."""

import pytest
from django import forms

from releases.forms import new_service as new_service_form
from releases.forms.fields import NumberField

NONE_OF_OURS = ["-1", "101", "10.5", "10.0", "٣", "1e2", "+5", "1_0", "10; DROP", "9" * 10_000, "1\u200b"]


@pytest.mark.parametrize("text", NONE_OF_OURS)
def test_what_is_no_number_of_the_range_is_refused_with_the_range(text):
    with pytest.raises(forms.ValidationError, match="a whole number from 0 to 100, in plain digits"):
        NumberField(min_value=0, max_value=100).clean(text)


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("100", 100), (" 7 ", 7), ("007", 7)])
def test_plain_digits_are_taken(text, number):
    assert NumberField(min_value=0, max_value=100).clean(text) == number


def test_an_empty_one_is_said_to_be_missing_or_left_out():
    with pytest.raises(forms.ValidationError, match="required"):
        NumberField(min_value=0, max_value=100).clean("")
    assert NumberField(min_value=0, max_value=100, required=False).clean("") is None


def test_every_number_of_every_form_is_such_a_field():
    numbers = {
        f"{form.__qualname__}.{name}": field
        for form in _forms(forms.Form)
        if form.__module__.startswith("releases.")
        for name, field in form.base_fields.items()
        if isinstance(field, forms.IntegerField)
    }
    assert f"{new_service_form.NewServiceForm.__qualname__}.priority" in numbers
    assert [name for name, field in numbers.items() if not isinstance(field, NumberField)] == []


def _forms(form: type[forms.Form]) -> set[type[forms.Form]]:
    return {form}.union(*map(_forms, form.__subclasses__()))
