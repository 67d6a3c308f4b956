"""What an installation may write about its accounts, and what it is told otherwise."""

import json

import pytest

from aws.accounts import Account, InvalidAccounts, Purpose, parse_accounts

ID = "123456789012"
WRITE = f"arn:aws:iam::{ID}:role/bluegreen-write"


def of(**values: object) -> str:
    return json.dumps({ID: values})


def test_nothing_written_is_no_account():
    assert parse_accounts("") == {}


def test_all_that_can_be_said_of_an_account():
    said = {
        "profile": "production",
        "read_role_arn": f"arn:aws:iam::{ID}:role/team/bluegreen-read",
        "write_role_arn": WRITE,
        "emergency_role_arn": f"arn:aws-cn:iam::{ID}:role/button",
        "external_id": "4711",
    }
    assert parse_accounts(of(**said)) == {ID: Account(account_id=ID, **said)}


def test_a_role_that_is_not_given_is_the_writing_one():
    account = parse_accounts(of(write_role_arn=WRITE, read_role_arn=WRITE.replace("write", "read")))[ID]
    assert account.role_arn(Purpose.READ) == WRITE.replace("write", "read")
    assert account.role_arn(Purpose.WRITE) == account.role_arn(Purpose.EMERGENCY) == WRITE


def test_without_any_role_one_stays_who_one_is():
    assert {parse_accounts(of(profile="p"))[ID].role_arn(purpose) for purpose in Purpose} == {None}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not JSON"),
        ("[]", "Write an object"),
        ('{"12345": {}}', "twelve digits"),
        ('{"12345678901٣": {}}', "twelve digits"),
        (f'{{"{ID}": "role"}}', "an object with some of"),
        (of(role="x"), "emergency_role_arn, external_id"),
        (of(profile=""), "left out"),
        (of(write_role_arn=7), "is a text"),
        (of(write_role_arn=f"arn:aws:iam::{ID}:user/somebody"), "names a role of this account"),
        (of(write_role_arn="arn:aws:iam::999999999999:role/bluegreen"), "names a role of this account"),
        (of(write_role_arn=WRITE + "\n"), "names a role of this account"),
        (of(external_id="no blanks here"), "external_id has"),
    ],
)
def test_what_makes_no_sense_is_told_with_what_to_write(text, told):
    with pytest.raises(InvalidAccounts, match=told):
        parse_accounts(text)


def test_an_external_id_is_not_shown():
    assert "4711" not in repr(parse_accounts(of(external_id="4711")))
