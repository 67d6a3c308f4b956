"""A thousand services, seen by way of a group that has a role in their environment."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from releases.domain.access.decisions import Permission
from releases.domain.access.roles import Role
from releases.models import Service
from releases.services.access import tokens
from releases.services.access.rights import bring_in_step
from releases.services.access.roles import Place, record_given
from releases.services.access.tokens import WantedToken
from releases.services.lifecycle import SYSTEM
from releases.tests import factories

FEW, MANY = 2, 1_000
ADDRESSES = ["/", "/?q=none-of-them", "/inbox/", "/rollback/", "/audit/", "/reports/", "/messages/"]


def add_services(count: int) -> None:
    Service.objects.bulk_create(factories.ServiceFactory.build_batch(count, environment="production"))
    bring_in_step(Service.objects.all())


@pytest.fixture
def member(db):
    group = Group.objects.create(name="SRE")
    add_services(FEW)
    record_given(Role.MANAGER, group, Place(environment="production"), actor=SYSTEM)
    member = factories.UserFactory.create()
    member.groups.add(group)
    return member


def queries_of(client: Client, address: str, **headers: str) -> int:
    client.get(address, headers=headers)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address, headers=headers).status_code == 200
    return len(captured)


def test_pages_and_the_api_s_list_need_as_many_queries_as_for_two(member, as_user):
    client = as_user(member)
    wanted = WantedToken(name="ci", days=1, permissions=frozenset({Permission.VIEW}))
    bearer = {"Authorization": f"Bearer {tokens.make(member, wanted)[1]}"}
    before = {address: queries_of(client, address) for address in ADDRESSES}
    before_by_token = queries_of(Client(), "/api/v1/services", **bearer)
    add_services(MANY)
    assert {address: queries_of(client, address) for address in ADDRESSES} == before
    assert queries_of(Client(), "/api/v1/services", **bearer) == before_by_token
    assert len(client.get("/").content) < 150_000
