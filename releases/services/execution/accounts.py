"""How a service's AWS account is reached, for pages, runs and the button: by what the settings say about accounts."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from django.conf import settings

from aws import credentials, session
from aws.accounts import Account, Purpose
from aws.credentials import Credentials
from aws.errors import AwsError
from aws.session import Access
from releases.models import Service


class InAccount(Protocol):
    """What says in which account and region it is."""

    @property
    def region(self) -> str:
        """For example "eu-central-1"."""

    @property
    def account_id(self) -> str:
        """Twelve digits."""


def access(place: InAccount, purpose: Purpose = Purpose.READ) -> Access:
    """How a service's account is reached for this purpose. Raises ``AwsError`` for an account that isn't listed."""
    account = _account(place.account_id)
    return Access(
        region=place.region,
        account_id=place.account_id,
        endpoint_url=settings.AWS_ENDPOINT_URL,
        access_key_id=settings.AWS_ACCESS_KEY_ID,
        secret_access_key=settings.AWS_SECRET_ACCESS_KEY,
        profile=account.profile,
        role_arn=account.role_arn(purpose),
        external_id=account.external_id,
    )


def credentials_for_run(place: InAccount, purpose: Purpose, run_id: UUID) -> Credentials:
    """Credentials for one run alone, of the service's own account. Raises ``AwsError``."""
    return credentials.for_run(access(place, purpose), session_name=f"bluegreen-{run_id}")


def account_ids() -> tuple[str, ...]:
    """The accounts that Bluegreen may work in; none where nothing is said about accounts."""
    return tuple(sorted(settings.AWS_ACCOUNTS))


def connect_to_aws() -> None:
    """Make the clients that pages and the emergency button need, so that nobody who presses it waits for that."""
    for region, account_id in Service.objects.order_by().values_list("region", "account_id").distinct():
        place = Place(region=region, account_id=account_id)
        for purpose in (Purpose.EMERGENCY, Purpose.READ):
            session.connect(access(place, purpose))


@dataclass(frozen=True, kw_only=True)
class Place:
    """An account and region by themselves."""

    region: str
    account_id: str


def _account(account_id: str) -> Account:
    """Whatever isn't listed is refused; where nothing is listed, the process' own credentials decide."""
    listed: dict[str, Account] = settings.AWS_ACCOUNTS
    if not listed:
        return Account(account_id=account_id)
    if account_id not in listed:
        raise AwsError(
            "aws:account-unknown",
            f"Account {account_id} is not among those that Bluegreen may work in. Add it to BLUEGREEN_AWS_ACCOUNTS.",
        )
    return listed[account_id]
