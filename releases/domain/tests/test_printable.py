"""Text for the fonts that a PDF has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.domain.reports.printable import kept_characters, printable


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("Zoë, Łukasz, Ωμέγα, Игорь: 5 → 10 %", "Zoë, Łukasz, Ωμέγα, Игорь: 5 → 10 %"),
        ("e\u0301", "é"),
        ("中", "⟨U+4E2D⟩"),
        ("🎉", "⟨U+1F389⟩"),
        ("a\u202eb\u200bc\x1b[31m", "a⟨U+202E⟩b⟨U+200B⟩c⟨U+001B⟩[31m"),
    ],
)
def test_what_the_fonts_lack_is_named(text, printed):
    assert printable(text) == printed


def test_it_goes_into_lists_and_objects():
    assert printable({"a": ["中", {"b": "x"}, 1, None]}) == {"a": ["⟨U+4E2D⟩", {"b": "x"}, 1, None]}


@given(st.text())
def test_only_characters_that_the_fonts_have_are_left(text):
    assert set(printable(text)) <= set(kept_characters())
