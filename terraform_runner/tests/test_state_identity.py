import json

import pytest

from terraform_runner.domain.state_identity import StateIdentity, check_state
from terraform_runner.errors import StateUnfit, TerraformTooOld

LAST = StateIdentity(lineage="one", serial=7)


def state(**values: object) -> bytes:
    usual = {"version": 4, "terraform_version": "1.11.4", "lineage": "one", "serial": 7, "resources": []}
    return json.dumps(usual | values).encode()


def check(content: bytes | None, *, expected: StateIdentity | None = LAST, own: str = "1.11.4"):
    return check_state(content, expected=expected, terraform_version=own, place="/states/7")


def test_the_state_of_the_last_run_is_taken():
    assert check(state()) == LAST


def test_a_state_that_a_run_wrote_before_it_was_killed_is_taken():
    """Nobody could note its serial; Terraform wrote it, and it is newer."""
    assert check(state(serial=9)) == StateIdentity(lineage="one", serial=9)


@pytest.mark.parametrize("content", [None, b""])
def test_before_the_first_run_there_is_none(content):
    assert check(content, expected=None) is None


def test_what_an_unfinished_set_up_left_is_taken():
    assert check(state(lineage="new", serial=1), expected=None) == StateIdentity(lineage="new", serial=1)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "is gone, although runs have written it (lineage one, serial 7)"),
        (b"", "is empty, although runs have written it"),
        (state(lineage="two"), "is another one: its lineage is two, and that of this service's runs one"),
        (state(serial=6), "is an older one: its serial is 6, and the last run had 7"),
    ],
)
def test_a_state_that_is_not_the_last_run_s_is_refused_with_what_to_do(content, problem):
    with pytest.raises(StateUnfit) as refused:
        check(content)
    assert f"The state /states/7 {problem}" in refused.value.message
    assert "Nothing was done." in refused.value.message
    assert "accept_state" in refused.value.message


@pytest.mark.parametrize("expected", [LAST, None])
@pytest.mark.parametrize(
    "content",
    [
        b"x",
        b"[]",
        b"{}",
        b"null",
        b"\xff",
        state()[:-2],
        state(serial="7"),
        state(lineage=None),
        b'{"version": 3}',
    ],
)
def test_a_damaged_state_is_never_taken_for_none(content, expected):
    with pytest.raises(StateUnfit, match="is damaged"):
        check(content, expected=expected)


@pytest.mark.parametrize(
    ("written_by", "own"), [("1.12.0", "1.11.4"), ("2.0.0-beta1", "1.99.9"), ("1.11.10", "1.11.9")]
)
def test_a_state_of_a_newer_terraform_is_refused_by_both_names(written_by, own):
    with pytest.raises(TerraformTooOld) as refused:
        check(state(terraform_version=written_by), own=own)
    assert written_by in refused.value.message
    assert own in refused.value.message
    assert "Nothing was done." in refused.value.message


@pytest.mark.parametrize(
    ("written_by", "own"), [("1.11.4", "1.11.10"), ("1.9.8", "1.11.4"), ("1.12.0", "1.12.0-rc1")]
)
def test_a_state_of_an_older_or_the_same_terraform_is_taken(written_by, own):
    assert check(state(terraform_version=written_by), own=own) == LAST


@pytest.mark.parametrize("version", [5, "4"])
def test_a_format_that_is_not_known_is_refused(version):
    with pytest.raises(TerraformTooOld, match="in a format that is not known here"):
        check(state(version=version, terraform_version="1.0.0"))
