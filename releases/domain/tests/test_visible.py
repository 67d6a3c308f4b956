import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.domain.visible import has_hidden, one_line, visible


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exe\u202efdp", "exe⟨U+202E⟩fdp"),
        ("a\u200bb\u2066c\ufeff", "a⟨U+200B⟩b⟨U+2066⟩c⟨U+FEFF⟩"),
        ("one\rtwo\x00\x1b[31m", "one⟨U+000D⟩two⟨U+0000⟩⟨U+001B⟩[31m"),
        ("a\u2028b\u3164c", "a⟨U+2028⟩b⟨U+3164⟩c"),
        ("p\u0430ypal", "p\u0430⟨U+0430⟩ypal"),
        ("ok\ufe0f", "ok⟨U+FE0F⟩"),
    ],
)
def test_what_cannot_be_seen_or_looks_like_another_is_marked(text, expected):
    assert visible(text) == expected
    assert has_hidden(text)


@pytest.mark.parametrize(
    "text", ["", "two\nlines\tand more", "Grüße, 日本語", "Привет", "naïve 50 % → 75 %", "🎉"]
)
def test_what_people_write_stays_as_it_is(text):
    assert visible(text) == text
    assert not has_hidden(text)


@given(st.text())
def test_nothing_unseen_is_left_and_whether_something_was_hidden_is_known(text):
    shown = visible(text)
    unseen = [one for one in shown if unicodedata.category(one) in {"Cc", "Cf", "Zl", "Zp"}]
    assert set(unseen) <= {"\n", "\t"}
    assert has_hidden(text) == (shown != text)


def test_a_heading_is_one_short_line():
    assert one_line("a\r\nBcc: x\n", 80) == "a⟨U+000D⟩ Bcc: x"
    assert one_line("x" * 100, 10) == "xxxxxxxxx…"
