"""The AWS clients that the emergency button needs are made when a web process starts."""

import pytest

from aws import session
from releases.models import Service
from releases.services.workspaces import access, connect_to_aws


@pytest.fixture
def connected(monkeypatch):
    """The accounts that clients were made for."""
    made: list[session.Access] = []
    monkeypatch.setattr(session, "connect", made.append)
    return made


def test_clients_are_made_for_the_accounts_of_all_services(service, connected):
    connect_to_aws()
    assert connected == [access(service)]


def test_services_of_one_account_share_their_clients(service, connected):
    Service.objects.create(
        name="other",
        family="other",
        region=service.region,
        account_id=service.account_id,
        listener_arn=service.listener_arn,
        repository_uri=service.repository_uri,
        blue_image=service.blue_image,
        green_image=service.green_image,
    )
    connect_to_aws()
    assert len(connected) == 1


@pytest.mark.django_db
def test_without_services_nothing_is_made(connected):
    connect_to_aws()
    assert connected == []
