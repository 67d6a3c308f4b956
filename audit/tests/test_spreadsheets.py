"""What somebody has typed stays text in a spreadsheet."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.spreadsheets import cell, csv_lines


@pytest.mark.parametrize(
    "begin", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\u00a0@", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
)
def test_no_cell_begins_a_formula(begin):
    assert cell(f'{begin}HYPERLINK("http://x")') == f'\'{begin}HYPERLINK("http://x")'


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (-3, "-3"), (0, "0"), (True, "True"), ("a = b", "a = b"), ("\0", "\ufffd")],
)
def test_numbers_and_plain_text_stay_as_they_are(value, text):
    assert cell(value) == text


@given(
    st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1), max_size=5)
)
def test_a_reader_gets_back_each_cell_whatever_is_in_it(rows):
    written = "".join(csv_lines(rows))
    read = list(csv.reader(io.StringIO(written, newline="")))
    assert read == [[cell(value) for value in row] for row in rows]


def test_rows_are_written_one_by_one():
    endless = ([number] for number in iter(int, 1))
    assert next(csv_lines(endless)) == "0\r\n"
