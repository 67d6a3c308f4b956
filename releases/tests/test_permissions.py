"""Rights on a service: granted one by one, gone at once, never inherited (FAULTS P18, P21)."""

import pytest
from django.contrib.auth.models import Group, User
from guardian.shortcuts import assign_perm, remove_perm

from releases.domain.access.decisions import Permission
from releases.models import Service
from releases.permissions import as_person, codename, grant, holders, services_with, visible_services
from releases.tests.factories import ServiceFactory, UserFactory, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def service() -> Service:
    return ServiceFactory.create(name="catalog")


@pytest.fixture
def mona(service) -> User:
    return person("mona", service, Permission.VIEW, Permission.APPROVE)


def rights(user: User, service: Service) -> set[Permission]:
    return set(as_person(user, service).permissions)


def test_what_was_granted_is_had_and_nothing_else(service, mona):
    assert rights(mona, service) == {Permission.VIEW, Permission.APPROVE}
    assert rights(mona, ServiceFactory.create()) == set()
    assert rights(UserFactory.create(), service) == set()


def test_each_right_is_one_of_django_s_permissions_of_a_service(service):
    user = UserFactory.create()
    grant(user, service, *Permission)
    assert rights(user, service) == set(Permission)


def test_a_right_that_was_taken_away_is_gone_for_an_account_that_was_read_before(service, mona):
    assert rights(mona, service)
    remove_perm(codename(Permission.APPROVE), mona, service)
    assert rights(mona, service) == {Permission.VIEW}


def test_an_account_that_was_switched_off_is_inactive_for_one_that_was_read_before(service, mona):
    User.objects.filter(pk=mona.pk).update(is_active=False)
    assert mona.is_active
    assert not as_person(mona, service).is_active


def test_rights_by_a_group_end_with_the_membership(service):
    group, user = Group.objects.create(name="managers"), UserFactory.create()
    assign_perm(codename(Permission.APPROVE), group, service)
    assert rights(user, service) == set()
    user.groups.add(group)
    assert rights(user, service) == {Permission.APPROVE}
    assert holders(service, Permission.APPROVE) == [user]
    user.groups.remove(group)
    assert rights(user, service) == set()


def test_a_superuser_has_no_rights_by_that_alone(service):
    root = User.objects.create_superuser("root")
    assert rights(root, service) == set()
    assert not visible_services(root).exists()
    assert holders(service, Permission.APPROVE) == []


def test_there_are_no_rights_on_all_services(service):
    user = UserFactory.create()
    for permission in Permission:
        assign_perm(f"releases.{codename(permission)}", user)
    assert rights(user, service) == set()
    assert not visible_services(user).exists()


def test_a_new_account_of_an_old_name_inherits_nothing(service, mona):
    old = mona.pk
    mona.delete()
    again = UserFactory.create(username="mona")
    assert again.pk != old
    assert rights(again, service) == set()
    assert not visible_services(again).exists()


def test_a_new_service_of_an_old_name_inherits_nothing(service, mona):
    service.delete()
    again = ServiceFactory.create(name="catalog")
    assert rights(mona, again) == set()
    assert not visible_services(mona).exists()
    assert holders(again, Permission.APPROVE) == []


def test_a_renamed_service_keeps_its_people(service, mona):
    Service.objects.filter(pk=service.pk).update(name="store")
    assert [one.name for one in visible_services(mona)] == ["store"]


def test_the_services_of_a_right_are_those_on_which_it_was_granted(service, mona):
    other = ServiceFactory.create()
    grant(mona, other, Permission.VIEW)
    assert set(visible_services(mona)) == {service, other}
    assert set(services_with(mona, Permission.APPROVE)) == {service}


def test_who_may_approve_is_listed_by_name_without_those_who_are_switched_off(service, mona):
    anna = person("anna", service, Permission.APPROVE)
    person("gone", service, Permission.APPROVE).delete()
    off = person("olga", service, Permission.APPROVE)
    User.objects.filter(pk=off.pk).update(is_active=False)
    person("otto", service, Permission.OPERATE)
    assert holders(service, Permission.APPROVE) == [anna, mona]


def test_the_services_of_a_person_are_one_query_however_many(service, mona, django_assert_num_queries):
    list(visible_services(mona))  # content types stay in memory
    for other in ServiceFactory.create_batch(10):
        grant(mona, other, Permission.VIEW)
    with django_assert_num_queries(1):
        assert len(visible_services(mona)) == 11
