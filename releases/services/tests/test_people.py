"""People and groups: who may change them, what ends with an account or a membership, and who stays."""

import re
import threading
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client

from audit.models import AuditEvent
from infra.local.paths import ROOT
from releases.domain.access.decisions import Permission
from releases.domain.access.roles import Role
from releases.models import ServiceAccount, Step, Token
from releases.permissions import NotAllowed, as_person
from releases.selectors.roles import administrators
from releases.services.access import people, tokens
from releases.services.access.roles import EVERYWHERE, RoleRefused, give, record_given, take
from releases.services.access.tokens import WantedToken
from releases.services.approval.gates import gates_before
from releases.services.errors import FieldsInvalid
from releases.tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> User:
    user = factories.UserFactory.create(username="ada")
    record_given(Role.ADMIN, user, EVERYWHERE, actor=factories.TESTS)
    return user


@pytest.fixture
def rosa() -> User:
    return factories.UserFactory.create(username="rosa")


@pytest.fixture
def sres() -> Group:
    return Group.objects.create(name="SREs")


@pytest.fixture
def canary() -> Step:
    """A plan that waits for an approval."""
    service = factories.ServiceFactory.create(name="catalog")
    release = factories.release_with_steps(service, factories.requester(service))
    factories.put_in_place(service, release)
    return factories.waiting_step(release.steps.get(transition="canary"))


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def told(*actions: str) -> list[tuple[str, str, dict, dict]]:
    events = AuditEvent.objects.filter(action__in=actions).order_by("pk")
    return list(events.values_list("actor_name", "action", "before", "after"))


def test_an_account_has_no_password_until_its_person_sets_one(admin):
    rosa = people.add("rosa", email="rosa@example.com", by=admin)
    assert not rosa.has_usable_password()
    assert told("person.added") == [("ada", "person.added", {}, {"email": "rosa@example.com"})]


@pytest.mark.parametrize(
    ("name", "email", "field"),
    [("a b", "", "username"), ("ada", "", "username"), ("", "", "username"), ("rosa", "nowhere", "email")],
)
def test_what_no_account_can_have_is_said_by_its_field_and_leaves_nothing(admin, name, email, field):
    with pytest.raises(FieldsInvalid) as refused:
        people.add(name, email=email, by=admin)
    assert list(refused.value.by_field) == [field]
    assert list(User.objects.all()) == [admin]


@pytest.mark.parametrize("name", ["", "SREs", "x" * 151])
def test_what_no_group_can_be_called_is_refused(admin, sres, name):
    with pytest.raises(FieldsInvalid):
        people.make_group(name, by=admin)
    assert list(Group.objects.all()) == [sres]


ACTS: dict[str, Callable[[User, User, Group], object]] = {
    "add": lambda by, _rosa, _group: people.add("new", email="", by=by),
    "deactivate": lambda by, rosa, _group: people.deactivate(rosa, by=by),
    "reactivate": lambda by, rosa, _group: people.reactivate(rosa, by=by),
    "end password": lambda by, rosa, _group: people.end_password(rosa, by=by),
    "make group": lambda by, _rosa, _group: people.make_group("new", by=by),
    "add member": lambda by, rosa, group: people.add_member(group, rosa, by=by),
    "remove member": lambda by, rosa, group: people.remove_member(group, rosa, by=by),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_only_an_active_administrator_of_everything_changes_people_and_groups(admin, rosa, sres, act):
    service = factories.ServiceFactory.create()
    nearly = factories.UserFactory.create()
    factories.give(nearly, service, *Role)
    former = factories.UserFactory.create(is_active=False)
    record_given(Role.ADMIN, former, EVERYWHERE, actor=factories.TESTS)
    before = AuditEvent.objects.count()
    for by in (nearly, former, rosa):
        with pytest.raises(NotAllowed):
            act(by, rosa, sres)
    assert AuditEvent.objects.count() == before


def test_who_is_deactivated_is_out_at_once_and_for_good(admin, rosa):
    browser = browser_of(rosa)
    _, secret = tokens.make(rosa, WantedToken(name="ci", days=1, permissions=frozenset()))
    assert browser.get("/").status_code == 200
    people.deactivate(rosa, by=admin)
    assert browser.get("/").status_code == 302
    assert tokens.find(secret) is None

    people.reactivate(rosa, by=admin)
    assert browser.get("/").status_code == 302
    signed_in = Client().post("/login/", {"username": "rosa", "password": factories.PASSWORD})
    assert signed_in.status_code == 200
    assert tokens.find(secret) is None
    assert Token.objects.get().revoked_at is not None
    assert told("person.deactivated", "person.reactivated", "token.revoked")[1:] == [
        ("ada", "person.deactivated", {"active": True}, {"active": False}),
        ("ada", "person.reactivated", {"active": False}, {"active": True}),
    ]


def test_what_is_so_already_is_no_event(admin, rosa, sres):
    people.reactivate(rosa, by=admin)
    people.deactivate(rosa, by=admin)
    people.deactivate(rosa, by=admin)
    people.end_password(rosa, by=admin)
    people.remove_member(sres, rosa, by=admin)
    assert [event[1] for event in told(*ALL)] == ["person.deactivated"]


ALL = ["person.deactivated", "person.reactivated", "person.password-ended", "group.member-removed"]


def test_a_new_link_ends_the_sessions_and_the_links_before_it(admin, rosa):
    browser, old = browser_of(rosa), people.password_link(rosa)
    people.end_password(rosa, by=admin)
    assert browser.get("/").status_code == 302
    rosa.refresh_from_db()
    for link, counts in ((old, False), (people.password_link(rosa), True)):
        page = Client().get(link.removeprefix("http://localhost:8000"), follow=True)
        assert page.context["validlink"] == counts


@pytest.mark.parametrize("since", ["deactivated", "set", "ended"])
def test_a_password_is_not_kept_by_a_link_that_was_used_or_ended_while_somebody_typed(admin, rosa, since):
    typing = User.objects.get(pk=rosa.pk)
    if since == "deactivated":
        people.deactivate(rosa, by=admin)
    elif since == "set":
        assert people.set_password(rosa, "horse 7 battery")
    else:
        people.end_password(rosa, by=admin)
    assert not people.set_password(typing, "staple 8 battery")
    rosa.refresh_from_db()
    assert not rosa.check_password("staple 8 battery")
    assert rosa.is_active == (since != "deactivated")


def test_a_member_is_added_and_removed_with_what_was_before_and_after(admin, rosa, sres):
    for _ in range(2):
        people.add_member(sres, rosa, by=admin)
    people.remove_member(sres, rosa, by=admin)
    assert told("group.member-added", "group.member-removed") == [
        ("ada", "group.member-added", {"groups": []}, {"groups": ["SREs"]}),
        ("ada", "group.member-removed", {"groups": ["SREs"]}, {"groups": []}),
    ]


def test_nobody_puts_themselves_into_a_group(admin, sres):
    with pytest.raises(NotAllowed, match="themselves"):
        people.add_member(sres, admin, by=admin)


def test_a_program_is_in_no_group_gets_no_role_beyond_asking_and_is_no_administrator_that_is_left(
    admin, rosa, sres
):
    service = factories.ServiceFactory.create()
    ServiceAccount.objects.create(user=rosa, service=service, made_by=admin)
    with pytest.raises(NotAllowed, match="program"):
        people.add_member(sres, rosa, by=admin)
    for role in (Role.APPROVER, Role.MANAGER, Role.AUDITOR, Role.ADMIN):
        with pytest.raises(NotAllowed, match="program"):
            give(role, rosa, EVERYWHERE, giver=admin)
    record_given(Role.ADMIN, rosa, EVERYWHERE, actor=factories.TESTS)
    assert list(administrators()) == [admin]


@pytest.mark.parametrize("by_group", [False, True])
def test_the_last_administrator_is_neither_deactivated_nor_taken_out_of_the_group(
    admin, rosa, sres, by_group
):
    if by_group:
        rosa.groups.add(sres)
        record_given(Role.ADMIN, sres, EVERYWHERE, actor=factories.TESTS)
        take(admin.role_grants.get().pk, taker=rosa)
        with pytest.raises(RoleRefused, match="Nobody would be an administrator"):
            people.remove_member(sres, rosa, by=rosa)
    last = rosa if by_group else admin
    with pytest.raises(RoleRefused, match="Nobody would be an administrator"):
        people.deactivate(last, by=last)
    assert list(administrators()) == [last]
    assert not told(*ALL)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["deactivate both", "take out of the group", "one of each"])
def test_of_two_administrators_who_end_each_other_at_once_one_stays(admin, sres, way):
    bob = factories.UserFactory.create(username="bob")
    record_given(Role.ADMIN, sres, EVERYWHERE, actor=factories.TESTS)
    for user in (admin, bob):
        user.groups.add(sres)
    take(admin.role_grants.get().pk, taker=bob)
    start, outcomes = threading.Barrier(2), []

    def end(victim: User, by: User, *, deactivates: bool) -> None:
        try:
            start.wait(30)
            if deactivates:
                people.deactivate(victim, by=by)
            else:
                people.remove_member(sres, victim, by=by)
            outcomes.append("ended")
        except (RoleRefused, NotAllowed):
            outcomes.append("refused")
        finally:
            connection.close()

    ways = {
        "deactivate both": (True, True),
        "take out of the group": (False, False),
        "one of each": (True, False),
    }
    threads = [
        threading.Thread(target=end, args=pair, kwargs={"deactivates": deactivates})
        for pair, deactivates in zip(((bob, admin), (admin, bob)), ways[way], strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["ended", "refused"]
    assert administrators().count() == 1


@pytest.mark.parametrize("way", ["deactivated", "out of the group"])
def test_an_approval_counts_no_more_when_its_person_is_out_and_the_trail_keeps_the_name(
    canary, admin, sres, way
):
    ines = factories.UserFactory.create(username="ines")
    ines.groups.add(sres)
    factories.give(sres, canary.service, Role.APPROVER)
    factories.approve(canary, ines)
    assert gates_before(canary.service, canary).present.is_open
    if way == "deactivated":
        people.deactivate(ines, by=admin)
    else:
        people.remove_member(sres, ines, by=admin)
        assert Permission.APPROVE not in as_person(ines, canary.service).permissions
    gate = gates_before(canary.service, canary).present
    assert not gate.is_open
    assert [one.approval.decided_by.username for one in gate.given] == ["ines"]
    assert AuditEvent.objects.filter(subject__person="ines", actor_name="ada").exists()


def test_nothing_else_writes_people_and_groups_and_there_is_no_other_page_that_could(settings):
    assert "django.contrib.admin" not in settings.INSTALLED_APPS
    writes = re.compile(
        r"\bgroups\.(add|set|remove|clear)\(|\buser_set\.|\b(User|Group)\(\w|\b(User|Group)\.objects\.\w*create"
    )
    source = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for part in ("audit", "bluegreen", "releases")
        for path in (ROOT / part).rglob("*.py")
        if not {"tests", "migrations"} & set(path.parts)
    }
    writers = {
        name for name, text in source.items() if "django.contrib.auth.models" in text and writes.search(text)
    }
    assert writers == {
        f"releases/services/access/{name}.py" for name in ("people", "group_removal", "service_accounts")
    }
