import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.domain.versions.configuration import InvalidConfiguration
from releases.domain.versions.configuration_text import (
    arguments_as_text,
    parse_arguments,
    parse_list,
    parse_variables,
    variables_as_text,
    whole_number,
)


def refused(act, *given_text) -> str:
    with pytest.raises(InvalidConfiguration) as refusal:
        act("environment", *given_text)
    assert refusal.value.field == "environment"
    return refusal.value.message


@pytest.mark.parametrize("text", ["128", " 128 ", "0128"])
def test_a_number_is_written_in_digits(text):
    assert whole_number("memory_size", text) == 128


@pytest.mark.parametrize(
    "text", ["", "-1", "+5", "10.5", "1e2", "1_0", "٣", "10; DROP", "9" * 1000, "1\n2", "0x10"]
)
def test_what_is_no_plain_number_is_refused(text):
    assert refused(whole_number, text) == "Write a whole number in digits."


def test_variables_are_lines():
    text = 'LEVEL=info\r\n\n  MODE =a=b \nQUOTED="a\\nb"\nEMPTY=\n'
    assert parse_variables("environment", text) == {
        "LEVEL": "info",
        "MODE": "a=b ",
        "QUOTED": "a\nb",
        "EMPTY": "",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("LEVEL=info\nhunter2", "Line 2 is not written as NAME=value."),
        ("=hunter2", "Line 1 is not written as NAME=value."),
        ("A1=x\nA1=hunter2", "A1 is there twice: remove one."),
        ('A1="hunter2', "The value in line 1 begins with a quote"),
        ('A1="hunter2" x', "The value in line 1 begins with a quote"),
    ],
)
def test_a_line_that_is_no_variable_is_named_by_its_number_and_not_shown(text, said):
    message = refused(parse_variables, text)
    assert message.startswith(said)
    assert "hunter2" not in message


names = st.from_regex(r"[A-Z][A-Z0-9_]{1,8}", fullmatch=True)
values = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=20)


@given(st.dictionaries(names, values))
def test_variables_are_read_as_they_were_written(variables):
    assert parse_variables("environment", variables_as_text(variables)) == variables


def test_lists_are_separated_by_commas_spaces_or_lines():
    assert parse_list(" a, b\nc,,d ") == ["a", "b", "c", "d"]
    assert parse_list("") == []


def test_arguments_are_lines_with_their_spaces():
    assert parse_arguments("serve\r\n--name=a b\n\n") == ["serve", "--name=a b"]
    assert parse_arguments("") == []
    assert parse_arguments(arguments_as_text(["a", "", "b c"])) == ["a", "", "b c"]
