"""As whom a service's account is reached, and which accounts are refused."""

from uuid import uuid4

import pytest

from aws import session
from aws.accounts import Account, Purpose
from aws.errors import AwsError
from infra.sandbox.info import SandboxInfo
from releases.models import Service
from releases.services.execution.accounts import access, connect_to_aws, credentials_for_run
from releases.tests.factories import ServiceFactory

ROLE = "arn:aws:iam::123456789012:role/bluegreen"


@pytest.fixture
def service() -> Service:
    return ServiceFactory.build(region="eu-central-1", account_id="123456789012")


@pytest.fixture
def listed(settings):
    """The one account that is listed has a role for each purpose."""
    account = Account(
        account_id="123456789012",
        read_role_arn=f"{ROLE}-read",
        write_role_arn=f"{ROLE}-write",
        emergency_role_arn=f"{ROLE}-emergency",
        external_id="told-by-the-customer",
    )
    settings.AWS_ACCOUNTS = {account.account_id: account}
    return account


@pytest.fixture
def connected(monkeypatch):
    """What clients were made for."""
    made: list[session.Access] = []
    monkeypatch.setattr(session, "connect", made.append)
    return made


def test_without_a_list_the_process_s_own_credentials_are_used(service, settings):
    settings.AWS_ACCOUNTS = {}
    settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY = "key", "secret"
    reach = access(service, Purpose.WRITE)
    assert (reach.access_key_id, reach.role_arn, reach.profile) == ("key", None, None)


@pytest.mark.parametrize("purpose", Purpose)
def test_each_purpose_takes_its_own_role(service, listed, purpose):
    reach = access(service, purpose)
    assert (reach.role_arn, reach.external_id) == (f"{ROLE}-{purpose}", "told-by-the-customer")
    assert "told-by" not in repr(reach)


def test_pages_read_with_the_reading_role(service, listed):
    assert access(service) == access(service, Purpose.READ)


def test_an_account_that_is_not_listed_is_refused(service, listed):
    service.account_id = "999999999999"
    with pytest.raises(AwsError, match="BLUEGREEN_AWS_ACCOUNTS") as refused:
        access(service)
    assert refused.value.code == "aws:account-unknown"


def test_a_run_takes_its_role_under_its_own_name(service, listed, settings, sandbox: SandboxInfo):
    settings.AWS_ENDPOINT_URL = sandbox.endpoint_url
    settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY = "sandbox", "sandbox"
    first, second = (credentials_for_run(service, Purpose.READ, uuid4()) for _ in range(2))
    assert first.session_token
    assert first != second


@pytest.mark.django_db
def test_clients_are_made_once_for_each_account_region_and_role(connected, listed):
    ServiceFactory.create_batch(2)
    ServiceFactory.create(region="eu-west-1")
    connect_to_aws()
    made_for = [(reach.region, reach.role_arn) for reach in connected]
    assert sorted(made_for) == [
        (region, f"{ROLE}-{purpose}")
        for region in ("eu-central-1", "eu-west-1")
        for purpose in (Purpose.EMERGENCY, Purpose.READ)
    ]


@pytest.mark.django_db
def test_without_services_nothing_is_made(connected):
    connect_to_aws()
    assert connected == []
