"""Which AWS accounts Bluegreen may work in, and as whom: what an installation writes down about each."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum

_ACCOUNT_ID = re.compile(r"[0-9]{12}")
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):role/[\w+=,.@/-]{1,512}", re.ASCII)
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, ExternalId
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)


class InvalidAccounts(Exception):
    """What was written about the accounts makes no sense; the message says where and what to write."""


class Purpose(StrEnum):
    """What an access is for: each may have a role of its own."""

    READ = "read"
    """Plans, verification and pages."""
    WRITE = "write"
    """Applies."""
    EMERGENCY = "emergency"
    """The button: reads and sets the weights of rules, and nothing else."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """One account. Without ``profile`` (of the AWS SDK's files) credentials are found as the SDK does.

    Without any role these credentials themselves are used. A role that isn't given is the writing one.
    """

    account_id: str
    profile: str | None = None
    read_role_arn: str | None = None
    write_role_arn: str | None = None
    emergency_role_arn: str | None = None
    external_id: str | None = field(default=None, repr=False)

    def role_arn(self, purpose: Purpose) -> str | None:
        """The role to take, None to stay who one is."""
        given = {
            Purpose.READ: self.read_role_arn,
            Purpose.WRITE: self.write_role_arn,
            Purpose.EMERGENCY: self.emergency_role_arn,
        }
        return given[purpose] or self.write_role_arn


def parse_accounts(text: str) -> dict[str, Account]:
    """The accounts by their numbers, from ``{"123456789012": {"write_role_arn": "arn:…", …}}``; "" gives none.

    Raises ``InvalidAccounts``.
    """
    try:
        document = json.loads(text or "{}")
    except ValueError as error:
        raise InvalidAccounts(f"It is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise InvalidAccounts('Write an object: {"123456789012": {"write_role_arn": "arn:aws:iam::…"}}.')
    return {account_id: _account(account_id, values) for account_id, values in document.items()}


def _account(account_id: str, values: object) -> Account:
    if not _ACCOUNT_ID.fullmatch(account_id):
        raise InvalidAccounts(f"“{account_id[:40]}” is no account: its number has twelve digits.")
    known = {field.name for field in fields(Account)} - {"account_id"}
    if not isinstance(values, Mapping) or not values.keys() <= known:
        raise InvalidAccounts(
            f"Account {account_id}: write an object with some of {', '.join(sorted(known))}."
        )
    for name, value in values.items():
        _check(account_id, name, value)
    return Account(account_id=account_id, **values)


def _check(account_id: str, name: str, value: object) -> None:
    if not isinstance(value, str) or not value:
        raise InvalidAccounts(f"Account {account_id}: {name} is a text, and is left out where there is none.")
    if name == "external_id" and not _EXTERNAL_ID.fullmatch(value):
        raise InvalidAccounts(
            f"Account {account_id}: external_id has 2 to 1224 letters, digits and + = , . @ : / - _."
        )
    if name.endswith("role_arn"):
        _check_role(account_id, name, value)


def _check_role(account_id: str, name: str, value: str) -> None:
    """A role of another account would be the wrong account, found only when it is used."""
    role = _ROLE.fullmatch(value)
    if role is None or role[1] != account_id:
        raise InvalidAccounts(
            f"Account {account_id}: {name} names a role of this account, as arn:aws:iam::{account_id}:role/bluegreen."
        )
