"""Who has which role on a service: seen by all who see it, given and taken by those who may."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.domain.access.roles import Role
from releases.models import RoleGrant
from releases.permissions import as_person
from releases.services.access.roles import EVERYWHERE, record_given
from releases.tests import factories
from releases.tests.conftest import text_of
from releases.tests.test_pages_queries import queries_of

PAGE = "/services/catalog/people/"
ROSA_APPROVES = {"kind": "person", "name": "rosa", "role": "approver", "where": "service"}


@pytest.fixture
def rosa(service) -> User:
    return factories.UserFactory.create(username="rosa")


@pytest.fixture
def keeper(service) -> User:
    """Manages the service."""
    user = factories.UserFactory.create(username="keeper")
    factories.give(user, service, Role.MANAGER)
    return user


@pytest.fixture
def client(keeper, as_user) -> Client:
    return as_user(keeper)


@pytest.fixture
def admin(service, as_user) -> Client:
    user = factories.UserFactory.create(username="anna")
    record_given(Role.ADMIN, user, EVERYWHERE, actor=factories.TESTS)
    return as_user(user)


def test_a_manager_gives_a_role_on_the_service_and_takes_it_away_each_with_its_event(client, service, rosa):
    assert client.post(PAGE, ROSA_APPROVES).status_code == 302
    assert Permission.APPROVE in as_person(rosa, service).permissions
    grant = RoleGrant.objects.get(user=rosa)
    assert "rosa" in text_of(client.get(PAGE))

    assert client.post(f"{PAGE}{grant.pk}/take/").status_code == 302
    assert as_person(rosa, service).permissions == frozenset()
    told = AuditEvent.objects.filter(actor_name="keeper").order_by("pk").values_list("action", flat=True)
    assert list(told) == ["role.given", "role.taken"]


def test_a_role_of_a_group_holds_for_its_members(client, service, rosa):
    group = Group.objects.create(name="SREs")
    rosa.groups.add(group)
    given = {"kind": "group", "name": "SREs", "role": "operator", "where": "service"}
    assert client.post(PAGE, given).status_code == 302
    assert Permission.OPERATE in as_person(rosa, service).permissions
    assert "SREs" in text_of(client.get(PAGE))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"name": "nobody"}, "There is no active person of this user name."),
        ({"kind": "group"}, "There is no group of this name."),
        ({"role": "root"}, "Select a valid choice."),
        ({"where": "elsewhere"}, "Select a valid choice."),
        ({"name": ""}, "This field is required."),
    ],
)
def test_what_cannot_be_given_is_refused_in_words_and_what_was_typed_is_kept(client, rosa, changed, why):
    before = RoleGrant.objects.count()
    answer = client.post(PAGE, ROSA_APPROVES | changed)
    assert answer.status_code == 422
    assert why in text_of(answer)
    assert answer.context["form"].data["kind"] in text_of(answer)
    assert RoleGrant.objects.count() == before


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"name": "keeper"}, "Nobody gives a role to themselves"),
        ({"kind": "group", "name": "SREs"}, "Nobody gives a role to themselves"),
        ({"role": "manager"}, "Only an administrator gives and takes the role manager."),
        ({"where": "everywhere"}, "You may not change who has which role"),
        ({"where": "environment"}, "You may not change who has which role"),
    ],
)
def test_what_one_may_not_give_is_refused_and_recorded(client, keeper, rosa, changed, why):
    keeper.groups.add(Group.objects.create(name="SREs"))
    before = RoleGrant.objects.count()
    assert client.post(PAGE, ROSA_APPROVES | changed).status_code == 403
    assert RoleGrant.objects.count() == before
    assert why in AuditEvent.objects.get(action="access.refused").reason


def test_who_is_no_longer_active_is_given_nothing(client, rosa):
    User.objects.filter(pk=rosa.pk).update(is_active=False)
    assert client.post(PAGE, ROSA_APPROVES).status_code == 422
    assert not RoleGrant.objects.filter(user=rosa).exists()


def test_an_administrator_gives_every_role_everywhere(admin, service, rosa):
    assert admin.post(PAGE, ROSA_APPROVES | {"role": "auditor", "where": "everywhere"}).status_code == 302
    grant = RoleGrant.objects.get(user=rosa)
    assert (grant.role, grant.place) == ("auditor", "everywhere")
    assert Permission.AUDIT in as_person(rosa, service).permissions


def test_the_last_administrator_stays(admin, service):
    grant = RoleGrant.objects.get(role="admin")
    page = text_of(admin.post(f"{PAGE}{grant.pk}/take/", follow=True))
    assert "make somebody else an administrator first" in page
    assert RoleGrant.objects.filter(pk=grant.pk).exists()


def test_a_manager_does_not_take_what_holds_everywhere(client, admin):
    grant = RoleGrant.objects.get(role="admin")
    assert client.post(f"{PAGE}{grant.pk}/take/").status_code == 403
    assert RoleGrant.objects.filter(pk=grant.pk).exists()


def test_a_role_on_another_service_is_not_taken_below_the_address_of_this_one(client, rosa):
    other = factories.ServiceFactory.create(name="other")
    factories.give(rosa, other, Role.VIEWER)
    grant = RoleGrant.objects.get(user=rosa)
    assert client.post(f"{PAGE}{grant.pk}/take/").status_code == 404
    assert RoleGrant.objects.filter(pk=grant.pk).exists()
    assert AuditEvent.objects.filter(action="access.refused", actor_name="keeper").exists()


def test_taking_what_is_gone_already_is_no_error(client, service, rosa):
    factories.give(rosa, service, Role.VIEWER)
    grant_id = RoleGrant.objects.get(user=rosa).pk
    RoleGrant.objects.filter(pk=grant_id).delete()
    assert client.post(f"{PAGE}{grant_id}/take/").status_code == 302


def test_who_may_not_give_roles_sees_them_and_is_told_why(service, as_user):
    page = text_of(as_user(factories.person("vera", service, Permission.VIEW)).get(PAGE))
    assert "a manager of the service or an administrator does" in page
    assert "Nobody has a role here yet" in page


def test_many_people_need_no_more_queries(client, service):
    one = queries_of(client, PAGE)
    for number in range(5):
        factories.give(factories.UserFactory.create(username=f"p{number}"), service, Role.VIEWER)
    assert queries_of(client, PAGE) <= one
