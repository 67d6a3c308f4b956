import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.domain.versions.environment import (
    HIDDEN,
    MOST_BYTES,
    InvalidEnvironment,
    check_environment,
    differing_names,
    hide,
    reveal,
    secret,
    token_of,
)

REVEALED = {"t0": "correct horse"}


def refused(environment, revealed=REVEALED) -> str:
    with pytest.raises(InvalidEnvironment) as refusal:
        check_environment(environment, revealed)
    return refusal.value.message


@pytest.mark.parametrize("name", ["LOG_LEVEL", "a1", "Z_", "LD_LIBRARY_PATH", "PATH"])
def test_names_that_lambda_takes_are_taken(name):
    check_environment({name: "info"}, {})


@pytest.mark.parametrize(
    "name", ["", "A", "1A", "_A", "A-B", "A B", "A\n", "${A}", "Ä1", "=cmd", "A\u202eB", "A" * 3 + "\x00"]
)
def test_names_that_lambda_refuses_are_refused(name):
    assert "no name of a variable" in refused({name: "info"})


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME", "LAMBDA_TASK_ROOT"])
def test_names_that_lambda_sets_itself_are_refused(name):
    assert "is set by Lambda itself" in refused({name: "x"})


@pytest.mark.parametrize(
    "value", ["", '${file("/etc/passwd")}', "%{if true}", "a\nb", "tab\there", "é ✓ 🙂", '"quoted"', "=1+1"]
)
def test_any_printable_text_is_a_value(value):
    check_environment({"TEXT": value}, {})


@pytest.mark.parametrize("value", ["\x00", "a\x1b[31m", "\r", "\ud800", "\x7f"])
def test_control_characters_are_refused_without_showing_the_value(value):
    message = refused({"TEXT": f"hunter2{value}"})
    assert message == "The value of TEXT has a control character: remove it."


@pytest.mark.parametrize("value", [1, None, True, ["x"], {"encrypted": "t0", "more": "x"}, {"plain": "x"}])
def test_what_is_no_text_is_refused(value):
    assert refused({"TEXT": value}) == "The value of TEXT is no text: write it again."


def test_a_token_that_nobody_can_reveal_is_refused():
    assert refused({"PASSWORD": secret("unknown")}) == "The value of PASSWORD is no text: write it again."


def test_a_secret_too_short_to_be_masked_is_refused_and_not_shown():
    message = refused({"PIN": secret("t0")}, {"t0": "1234567"})
    assert "less than 8 characters" in message
    assert "1234567" not in message
    check_environment({"PIN": secret("t0")}, {"t0": "12345678"})


def test_the_limit_is_measured_on_the_whole_mapping_in_the_clear():
    overhead = len(json.dumps({"A1": "", "P1": REVEALED["t0"]}, separators=(",", ":")))
    fits = {"A1": "x" * (MOST_BYTES - overhead), "P1": secret("t0")}
    check_environment(fits, REVEALED)
    assert "have 4097 bytes" in refused({**fits, "A1": f"{fits['A1']}x"})


def test_the_limit_counts_bytes_not_characters():
    assert "bytes, and Lambda takes 4096" in refused({"A1": "é" * 2100})


def test_secrets_are_revealed_and_the_rest_stays():
    environment = {"PASSWORD": secret("t0"), "LEVEL": "info"}
    assert reveal(environment, REVEALED) == {"PASSWORD": "correct horse", "LEVEL": "info"}
    with pytest.raises(KeyError):
        reveal(environment, {})


def test_only_the_exact_shape_is_a_secret():
    assert token_of(secret("t0")) == "t0"
    assert [token_of(value) for value in ("t0", {"encrypted": "t0", "x": 1}, {}, None)] == [None] * 4


def test_tokens_are_hidden_wherever_they_are():
    document = {
        "blue": {"environment": {"PASSWORD": secret("t0"), "LEVEL": "info"}},
        "list": [secret("t1"), 1],
    }
    assert hide(document) == {
        "blue": {"environment": {"PASSWORD": HIDDEN, "LEVEL": "info"}},
        "list": [HIDDEN, 1],
    }


# Hypothesis also tries texts that stand in the code, and with this one an object could be a secret.
keys = st.text().filter(lambda key: key != "encrypted")
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(keys, inner),
)


@given(plain)
def test_nothing_else_is_hidden(value):
    document = {"value": value}
    assert hide(document) == document


def test_names_that_differ_are_found_on_both_sides():
    assert differing_names({"A1": "x", "B1": "x", "C1": "x"}, {"A1": "x", "B1": "y", "D1": "x"}) == [
        "B1",
        "C1",
        "D1",
    ]
