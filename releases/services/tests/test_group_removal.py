"""Removing a group: never while something names it, also not what begins to at the same moment."""

import threading
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection

from audit.models import AuditEvent
from releases.domain.access.roles import Role
from releases.domain.approval.gate_policy import InvalidPolicy
from releases.models import Policy, RoleGrant, Service
from releases.permissions import NotAllowed
from releases.services.access import people
from releases.services.access.group_removal import may_be_removed, remove_group
from releases.services.access.roles import EVERYWHERE, RoleRefused, give, record_given
from releases.services.approval.policy_changes import change_defaults, change_policy
from releases.tests import factories

pytestmark = pytest.mark.django_db
NAMING = {"gates": {"promote": {"need": "always", "slots": ["anybody", "SREs or the role manager"]}}}


@pytest.fixture
def service() -> Service:
    return factories.ServiceFactory.create(name="catalog", environment="production")


@pytest.fixture
def admin(service) -> User:
    user = factories.UserFactory.create(username="ada")
    record_given(Role.ADMIN, user, EVERYWHERE, actor=factories.TESTS)
    return user


@pytest.fixture
def sres() -> Group:
    return Group.objects.create(name="SREs")


def test_a_group_that_nothing_names_is_removed_once_with_its_event(admin, sres):
    same = Group.objects.get(pk=sres.pk)
    remove_group(sres, by=admin)
    remove_group(same, by=admin)
    assert not Group.objects.exists()
    event = AuditEvent.objects.get(action="group.removed")
    assert (event.actor_name, event.subject) == ("ada", {"group": "SREs"})


def in_it(sres: Group, service: Service) -> None:
    sres.user_set.add(*factories.UserFactory.create_batch(2))


def with_a_role(sres: Group, service: Service) -> None:
    factories.give(sres, service, Role.APPROVER)


def of_the_service(sres: Group, service: Service) -> None:
    Policy.objects.create(service=service, content=NAMING)


def of_the_environment(sres: Group, service: Service) -> None:
    Policy.objects.create(environment="production", content={"break_glass": ["SREs"]})


@pytest.mark.parametrize(
    ("hold", "why"),
    [
        (in_it, "2 people are in it, take them out first"),
        (with_a_role, "it is approver on catalog, take that away first"),
        (of_the_service, "the policy of catalog names it, write somebody else there first"),
        (of_the_environment, "the policy of every service in production names it"),
    ],
)
def test_a_group_stays_while_something_names_it_and_that_is_said(admin, sres, service, hold, why):
    hold(sres, service)
    assert why in getattr(may_be_removed(sres), "reason", "")
    with pytest.raises(RoleRefused, match=why):
        remove_group(sres, by=admin)
    assert Group.objects.get() == sres
    assert not AuditEvent.objects.filter(action="group.removed").exists()


def test_only_an_administrator_of_everything_removes_one(admin, sres):
    with pytest.raises(NotAllowed):
        remove_group(sres, by=factories.UserFactory.create())
    assert Group.objects.get() == sres


NAMED_BY: dict[str, Callable[[User, Group, Service, User], object]] = {
    "role": lambda by, group, _service, _rosa: give(Role.VIEWER, group, EVERYWHERE, giver=by),
    "member": lambda by, group, _service, rosa: people.add_member(group, rosa, by=by),
    "policy": lambda by, _group, service, _rosa: change_policy(service_id=service.pk, user=by, wanted=NAMING),
    "defaults": lambda by, _group, service, _rosa: change_defaults(
        environment=service.environment, user=by, wanted=NAMING
    ),
}


def at_once(*acts: Callable[[], object]) -> list[str]:
    """What came of each, in the order of the acts: done or refused."""
    start, outcomes = threading.Barrier(len(acts)), [""] * len(acts)

    def go(number: int) -> None:
        try:
            start.wait(60)
            acts[number]()
            outcomes[number] = "done"
        except (RoleRefused, InvalidPolicy):
            outcomes[number] = "refused"
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=[number]) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", NAMED_BY)
def test_of_a_removal_and_what_begins_to_name_the_group_at_once_one_is_refused(admin, sres, service, what):
    rosa, same = factories.UserFactory.create(username="rosa"), Group.objects.get(pk=sres.pk)
    removed, named = at_once(
        lambda: remove_group(same, by=admin), lambda: NAMED_BY[what](admin, sres, service, rosa)
    )
    assert {removed, named} == {"done", "refused"}
    is_named = (
        RoleGrant.objects.filter(group__isnull=False).exists()
        or rosa.groups.exists()
        or "SREs" in str(list(Policy.objects.values_list("content", flat=True)))
    )
    assert (Group.objects.exists(), is_named) == (named == "done", named == "done")


@pytest.mark.parametrize("what", NAMED_BY)
def test_a_group_that_was_removed_since_it_was_read_is_named_by_nothing(admin, sres, service, what):
    remove_group(Group.objects.get(pk=sres.pk), by=admin)
    with pytest.raises((RoleRefused, InvalidPolicy), match=r"There is no group .?SREs"):
        NAMED_BY[what](admin, sres, service, factories.UserFactory.create())
