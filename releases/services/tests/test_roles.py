"""Roles of people and groups: what comes of them, who may give and take them, and what is left behind."""

import threading

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from guardian.models import GroupObjectPermission, UserObjectPermission

from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.domain.access.roles import PERMISSIONS, Role
from releases.models import RoleGrant, Service
from releases.permissions import NotAllowed, as_person, visible_services
from releases.selectors.roles import administered_by, administrators, roles_on
from releases.services.access import rights
from releases.services.access.roles import EVERYWHERE, Place, RoleRefused, give, record_given, take
from releases.tests.factories import TESTS, ServiceFactory, UserFactory

pytestmark = pytest.mark.django_db
PRODUCTION = Place(environment="production")


@pytest.fixture
def service() -> Service:
    return ServiceFactory.create(name="catalog")


@pytest.fixture
def rosa() -> User:
    return UserFactory.create(username="rosa")


@pytest.fixture
def admin() -> User:
    user = UserFactory.create(username="ada")
    record_given(Role.ADMIN, user, EVERYWHERE, actor=TESTS)
    return user


@pytest.fixture
def manager(service) -> User:
    user = UserFactory.create(username="mona")
    record_given(Role.MANAGER, user, Place(service=service), actor=TESTS)
    return user


def rights_of(user: User, service: Service) -> set[Permission]:
    return set(as_person(user, service).permissions)


def grant_of(user: User) -> RoleGrant:
    return RoleGrant.objects.get(user=user)


@pytest.mark.parametrize("role", Role)
def test_a_role_gives_what_it_bundles_on_that_service_and_on_no_other_one(service, rosa, role):
    other = ServiceFactory.create()
    record_given(role, rosa, Place(service=service), actor=TESTS)
    assert rights_of(rosa, service) == PERMISSIONS[role]
    assert rights_of(rosa, other) == set()


def test_a_role_in_an_environment_holds_on_all_of_its_services_and_on_no_other_one(service, rosa):
    staging = ServiceFactory.create(environment="staging")
    record_given(Role.OPERATOR, rosa, PRODUCTION, actor=TESTS)
    assert list(visible_services(rosa)) == [service]
    assert roles_on(rosa, staging) == set()


def test_a_role_everywhere_holds_on_every_service(service, admin):
    staging = ServiceFactory.create(environment="staging")
    rights.bring_in_step(Service.objects.filter(pk=staging.pk))
    assert rights_of(admin, service) == rights_of(admin, staging) == set(Permission)


def test_what_one_role_allows_stays_when_another_one_is_taken_away(service, rosa, admin):
    record_given(Role.REQUESTER, rosa, Place(service=service), actor=TESTS)
    record_given(Role.APPROVER, rosa, PRODUCTION, actor=TESTS)
    take(RoleGrant.objects.get(user=rosa, role="requester").pk, taker=admin)
    assert rights_of(rosa, service) == {Permission.VIEW, Permission.APPROVE}


def test_a_role_of_a_group_is_had_by_those_who_are_in_it(service, rosa):
    group = Group.objects.create(name="sre")
    record_given(Role.APPROVER, group, PRODUCTION, actor=TESTS)
    assert roles_on(rosa, service) == set()
    rosa.groups.add(group)
    assert roles_on(rosa, service) == {Role.APPROVER}
    assert rights_of(rosa, service) == {Permission.VIEW, Permission.APPROVE}


def test_each_change_is_an_event_with_what_was_before_and_after(service, rosa, manager):
    give(Role.VIEWER, rosa, Place(service=service), giver=manager)
    give(Role.APPROVER, rosa, Place(service=service), giver=manager)
    take(RoleGrant.objects.get(user=rosa, role="viewer").pk, taker=manager)
    events = AuditEvent.objects.filter(subject__person="rosa").order_by("pk")
    assert [(event.action, event.before["roles"], event.after["roles"]) for event in events] == [
        ("role.given", [], ["viewer"]),
        ("role.given", ["viewer"], ["approver", "viewer"]),
        ("role.taken", ["approver", "viewer"], ["approver"]),
    ]
    assert {event.actor_name for event in events} == {"mona"}
    assert {event.service_id for event in events} == {str(service.pk)}


def test_a_role_that_is_there_is_not_given_twice(service, rosa, manager):
    for _ in range(2):
        give(Role.VIEWER, rosa, Place(service=service), giver=manager)
    assert AuditEvent.objects.filter(subject__person="rosa").count() == 1


@pytest.mark.parametrize("role", [Role.MANAGER, Role.AUDITOR, Role.ADMIN])
def test_a_manager_gives_and_takes_no_role_that_only_an_administrator_may(service, rosa, manager, role):
    with pytest.raises(NotAllowed, match="Only an administrator"):
        give(role, rosa, Place(service=service), giver=manager)
    record_given(role, rosa, Place(service=service), actor=TESTS)
    with pytest.raises(NotAllowed, match="Only an administrator"):
        take(grant_of(rosa).pk, taker=manager)


@pytest.mark.parametrize("place", [PRODUCTION, EVERYWHERE])
def test_a_manager_of_a_service_gives_nothing_beyond_it(rosa, manager, place):
    other = ServiceFactory.create(name="other")
    for where in (place, Place(service=other)):
        with pytest.raises(NotAllowed):
            give(Role.VIEWER, rosa, where, giver=manager)
    assert not RoleGrant.objects.filter(user=rosa).exists()


def test_an_administrator_of_an_environment_gives_roles_in_it_and_nowhere_else(service, rosa):
    ada = UserFactory.create()
    record_given(Role.ADMIN, ada, PRODUCTION, actor=TESTS)
    give(Role.MANAGER, rosa, Place(service=service), giver=ada)
    give(Role.AUDITOR, rosa, PRODUCTION, giver=ada)
    for place in (EVERYWHERE, Place(environment="staging")):
        with pytest.raises(NotAllowed):
            give(Role.VIEWER, rosa, place, giver=ada)


@pytest.mark.parametrize("by_group", [False, True])
def test_nobody_gives_anything_to_themselves_or_to_a_group_that_they_are_in(
    service, admin, manager, by_group
):
    for user, role in ((admin, Role.OPERATOR), (manager, Role.OPERATOR)):
        group = Group.objects.create(name=f"group of {user}")
        user.groups.add(group)
        with pytest.raises(NotAllowed, match="themselves"):
            give(role, group if by_group else user, Place(service=service), giver=user)


def test_who_has_been_switched_off_gives_nothing(service, rosa, admin):
    User.objects.filter(pk=admin.pk).update(is_active=False)
    with pytest.raises(NotAllowed):
        give(Role.VIEWER, rosa, PRODUCTION, giver=admin)
    assert not administered_by(admin)


def test_the_last_administrator_stays_one(admin):
    with pytest.raises(RoleRefused, match="Nobody would be an administrator"):
        take(grant_of(admin).pk, taker=admin)
    assert list(administrators()) == [admin]
    bob = UserFactory.create()
    give(Role.ADMIN, bob, EVERYWHERE, giver=admin)
    take(grant_of(admin).pk, taker=bob)
    assert list(administrators()) == [bob]


def test_an_administrator_who_was_switched_off_does_not_count_as_one_that_is_left(admin):
    off = UserFactory.create(is_active=False)
    record_given(Role.ADMIN, off, EVERYWHERE, actor=TESTS)
    with pytest.raises(RoleRefused):
        take(grant_of(admin).pk, taker=admin)


@pytest.mark.django_db(transaction=True)
def test_of_two_administrators_who_take_each_others_role_at_once_one_stays(admin):
    bob = UserFactory.create()
    record_given(Role.ADMIN, bob, EVERYWHERE, actor=TESTS)
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def take_from(victim: User, taker: User) -> None:
        try:
            start.wait(30)
            take(grant_of(victim).pk, taker=taker)
            outcomes.append("taken")
        except (RoleRefused, NotAllowed):
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=take_from, args=pair) for pair in ((bob, admin), (admin, bob))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "taken"]
    assert administrators().count() == 1


def test_a_deleted_service_leaves_no_permission_that_one_with_its_key_could_inherit(service, rosa):
    group = Group.objects.create(name="sre")
    for holder in (rosa, group):
        record_given(Role.OPERATOR, holder, Place(service=service), actor=TESTS)
    key = service.pk
    service.delete()
    again = ServiceFactory.create(pk=key, name="catalog")
    rosa.groups.add(group)
    assert rights_of(rosa, again) == set()
    assert not UserObjectPermission.objects.exists()
    assert not GroupObjectPermission.objects.exists()
    assert not RoleGrant.objects.exists()


def test_a_service_that_was_deleted_by_sql_leaves_no_permission_either(service, rosa):
    record_given(Role.OPERATOR, rosa, PRODUCTION, actor=TESTS)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM releases_service WHERE id = %s", [service.pk])
    assert not UserObjectPermission.objects.exists()


def test_a_deleted_person_or_group_leaves_nothing_that_one_with_its_name_or_key_could_inherit(service, rosa):
    group = Group.objects.create(name="sre")
    for holder in (rosa, group):
        record_given(Role.OPERATOR, holder, PRODUCTION, actor=TESTS)
    person_key, group_key = rosa.pk, group.pk
    rosa.delete()
    group.delete()
    again = UserFactory.create(pk=person_key, username="rosa")
    again.groups.add(Group.objects.create(pk=group_key, name="sre"))
    assert rights_of(again, service) == set()
    assert not RoleGrant.objects.exists()


def test_a_thousand_services_of_an_environment_take_as_many_queries_as_one(
    service, rosa, django_assert_max_num_queries
):
    Service.objects.bulk_create(ServiceFactory.build_batch(999))
    with django_assert_max_num_queries(25):
        record_given(Role.OPERATOR, rosa, PRODUCTION, actor=TESTS)
    assert visible_services(rosa).count() == 1000
