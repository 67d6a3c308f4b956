"""Fields of several forms, and their looks."""

import re
from typing import Any

from django import forms

LONGEST_TEXT = 4000

_NUMBER = re.compile(r"[0-9]{1,9}")


class NumberField(forms.IntegerField):
    """A whole number in plain digits: Django's own field would also take “٣”, “+5” and “10.0”. It names the range."""

    def __init__(self, *, min_value: int, max_value: int, **options: Any) -> None:
        problem = f"Write a whole number from {min_value} to {max_value}, in plain digits."
        messages = dict.fromkeys(("invalid", "min_value", "max_value"), problem)
        super().__init__(min_value=min_value, max_value=max_value, error_messages=messages, **options)

    def to_python(self, value: Any) -> int | None:  # noqa: ANN401 - as Django's fields have it
        """The number."""
        if value not in self.empty_values and not _NUMBER.fullmatch(str(value).strip()):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class StyledForm(forms.Form):
    """A form whose fields look like those of the other pages; what is ticked keeps its own look."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if not isinstance(field.widget, forms.RadioSelect | forms.CheckboxInput):
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
