"""A service that a person asks for: who may, what is refused before anything is stored, and its way to being set up."""

from dataclasses import replace
from functools import partial

import pytest
from celery import current_app
from django.contrib.auth.models import User
from django.utils import timezone

from audit.models import AuditEvent
from aws import images
from aws import listeners as aws_listeners
from aws.accounts import Account
from aws.errors import AwsError
from aws.listeners import Listener, ListenerRule
from releases.domain.access.decisions import Permission
from releases.domain.access.roles import Role
from releases.domain.approval.approval_policy import PlanIdentity
from releases.domain.canary import CanaryHeader
from releases.domain.errors import InvalidCanary
from releases.domain.lifecycle import StepStatus
from releases.models import Service, Step
from releases.permissions import NotAllowed, as_person, grant, grant_set_up
from releases.selectors.roles import roles_on
from releases.services.access import service_accounts
from releases.services.access.roles import Place, record_given
from releases.services.approval import approvals
from releases.services.errors import ActRefused, FieldsInvalid
from releases.services.provisioning import managed, set_up_requests
from releases.services.provisioning.set_up_requests import Rights, look_at, request_set_up
from releases.services.provisioning.setup import NewService
from releases.services.tests.test_races import at_once
from releases.services.tests.world import REPOSITORY
from releases.tests import factories
from releases.tests.factories import TESTS, ServiceFactory, UserFactory
from terraform_runner.models import Run

pytestmark = pytest.mark.django_db

LOAD_BALANCER = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/demo-alb/1"
LISTENER = f"{LOAD_BALANCER}/2"
WANTED = NewService(
    name="cart",
    family="crt",
    environment="production",
    region="eu-central-1",
    account_id="123456789012",
    listener_arn=LISTENER,
    repository_uri=REPOSITORY,
    tag="v1",
    hostnames=["cart.example.com"],
)


class AtAws:
    """The listener as AWS has it."""

    def __init__(self) -> None:
        self.rules: list[ListenerRule] = []
        self.groups = 2
        self.fails: AwsError | None = None

    def read(self, *_: object) -> Listener:
        if self.fails:
            raise self.fails
        return Listener(
            arn=LISTENER,
            load_balancer_arn="arn:loadbalancer/app/demo-alb/1",
            load_balancer_name="demo-alb",
            port=443,
            protocol="HTTPS",
        )

    def holds(self, *priorities: int, takes_all: bool = False) -> None:
        self.rules += [
            ListenerRule(
                arn=f"arn:{number}", priority=number, asks_for="host-header a.b", takes_all=takes_all
            )
            for number in priorities
        ]


@pytest.fixture
def listener(world, monkeypatch) -> AtAws:
    there = AtAws()
    monkeypatch.setattr(aws_listeners, "read_listener", there.read)
    monkeypatch.setattr(aws_listeners, "list_rules", lambda *_: there.rules)
    monkeypatch.setattr(aws_listeners, "count_target_groups", lambda *_: there.groups)
    return there


@pytest.fixture
def ida(db) -> User:
    """May set up services."""
    user = User.objects.create_user("ida")
    grant_set_up(user)
    return user


@pytest.fixture
def mona(db) -> User:
    """May approve."""
    return User.objects.create_user("mona")


@pytest.fixture
def ask(listener, ida, mona):
    def ask(
        *, user: User = ida, priority: int | None = None, rights: Rights | None = None, **changes
    ) -> Service:
        return request_set_up(
            user=user,
            new=replace(WANTED, **changes),
            priority=priority,
            rights=rights or Rights(approvers=(mona,)),
            reason="We sell carts",
        )

    return ask


@pytest.fixture
def refused(ask):
    """Why it was refused, by field; nothing of it is there then."""

    def refused(**changes) -> dict[str, str]:
        before = (Service.objects.count(), AuditEvent.objects.count(), Run.objects.count())
        with pytest.raises(FieldsInvalid) as refusal:
            ask(**changes)
        assert (Service.objects.count(), AuditEvent.objects.count(), Run.objects.count()) == before
        return dict(refusal.value.by_field)

    return refused


def shown(step: Step) -> PlanIdentity:
    run = Step.objects.get(pk=step.pk).plan_run
    assert run is not None
    return PlanIdentity(sha256=run.plan_sha256, changes_digest=run.changes_digest)


def rights_of(user: User, service: Service) -> set[Permission]:
    return set(as_person(user, service).permissions)


def test_its_plan_waits_for_somebody_else_and_is_applied_and_verified_then(ask, world, ida, mona):
    service = ask()
    world.work()
    step = service.steps.get()
    assert (step.transition, step.status, step.gate) == ("set_up", StepStatus.WAITING, True)
    assert (step.requested_by, step.reason, world.applied) == (ida, "We sell carts", [])
    with pytest.raises(ActRefused):
        approvals.approve(step_id=step.pk, user=ida, shown=shown(step))
    approvals.approve(step_id=step.pk, user=mona, shown=shown(step))
    world.work()
    service.refresh_from_db()
    assert service.set_up_at is not None
    assert [event.action for event in AuditEvent.objects.order_by("pk")][:5] == [
        "service.created",
        *["role.given"] * 3,
        "step.planning",
    ]


def test_who_asks_without_another_service_manages_and_operates_the_new_one(ask, ida, mona):
    service = ask()
    assert roles_on(ida, service) == {Role.MANAGER, Role.OPERATOR}
    assert rights_of(mona, service) == {Permission.VIEW, Permission.APPROVE}
    event = AuditEvent.objects.get(action="role.given", subject__person="mona")
    assert (event.actor_name, event.reason) == ("ida", "Set up the service.")


def test_everybody_has_the_roles_that_were_given_on_the_other_service(ask, ida, mona):
    other = ServiceFactory.create(name="shop")
    factories.give(ida, other, Role.MANAGER)
    factories.give(mona, other, Role.APPROVER, Role.OPERATOR)
    program = service_accounts.make(other, name="ci", roles=[Role.REQUESTER], by=ida).user
    service = ask(rights=Rights(as_on=other))
    assert roles_on(ida, service) == {Role.MANAGER, Role.VIEWER}
    assert roles_on(mona, service) == {Role.APPROVER, Role.OPERATOR}
    assert roles_on(program, service) == set()
    assert {
        event.reason for event in AuditEvent.objects.filter(action="role.given", service_id=service.pk)
    } == {"As on shop."}


def test_roles_in_its_environment_hold_on_a_service_that_is_set_up_later(ask):
    rosa = UserFactory.create(username="rosa")
    record_given(Role.OPERATOR, rosa, Place(environment="production"), actor=TESTS)
    assert rights_of(rosa, ask()) == {Permission.VIEW, Permission.OPERATE, Permission.EMERGENCY}


def test_nobody_gives_rights_of_a_service_that_they_do_not_manage(ask, ida, mona):
    other = ServiceFactory.create(name="shop")
    grant(ida, other, *set(Permission) - {Permission.MANAGE})
    with pytest.raises(NotAllowed, match="You do not manage shop"):
        ask(rights=Rights(as_on=other))


def test_nobody_sets_up_without_the_right(ask, mona):
    with pytest.raises(NotAllowed, match="may not set up services"):
        ask(user=mona)
    assert not Service.objects.exists()


@pytest.mark.parametrize("who", ["nobody", "ida", "inactive"])
def test_without_a_second_person_it_is_refused_since_nobody_could_approve_it(refused, ida, mona, who):
    User.objects.filter(pk=mona.pk).update(is_active=False)
    people = {"nobody": (), "ida": (ida,), "inactive": (mona,)}
    assert "nobody approves their own set-up" in refused(rights=Rights(approvers=people[who]))["approvers"]


def test_a_service_where_only_oneself_may_approve_gives_no_second_person(refused, ida, mona):
    other = ServiceFactory.create(name="shop")
    factories.give(ida, other, Role.MANAGER)
    factories.give(mona, other, Role.OPERATOR)
    assert refused(rights=Rights(as_on=other))["as_on"].startswith("Nobody but you may approve on shop")


def test_without_a_priority_it_gets_the_lowest_with_room_for_all_its_rules(ask, listener):
    listener.holds(1, 4, 9)
    assert ask(canary_slots=2).priority == 7


def test_one_that_takes_every_request_comes_after_all_others(ask, listener):
    listener.holds(1, 300)
    assert ask(hostnames=[]).priority == 302


def test_what_is_being_set_up_holds_its_priorities_and_gives_them_back_when_called_off(ask, refused, ida):
    first = ask(priority=300)
    taken = refused(name="till", family="till", priority=301)["priority"]
    assert "300 is a rule of cart" in taken
    managed.cancel(step_id=first.steps.get().pk, user=ida)
    assert ask(name="till", family="till", priority=301).priority == 301


def test_a_set_up_that_was_called_off_gives_its_name_and_its_family_back_and_keeps_its_history(ask, ida):
    asked = [ask()]
    for _ in range(2):
        managed.cancel(step_id=asked[-1].steps.get().pk, user=ida)
        asked.append(ask())
    assert list(Service.objects.order_by("created_at").values_list("name", flat=True)) == [
        "cart_1", "cart_2", "cart"
    ]  # fmt: skip
    event = AuditEvent.objects.filter(action="service.renamed").earliest("pk")
    assert (event.service_id, event.before, event.after) == (
        str(asked[0].pk), {"name": "cart"}, {"name": "cart_1"}
    )  # fmt: skip


def test_the_longest_name_is_given_back_too(ask, ida):
    longest = "c" * 40
    managed.cancel(step_id=ask(name=longest).steps.get().pk, user=ida)
    assert ask(name=longest).name == longest
    assert Service.objects.filter(name=f"{longest[:35]}_1").exists()


def test_the_name_of_a_service_that_was_set_up_stays_with_its_history(refused):
    ServiceFactory.create(name="cart", removed_at=timezone.now())
    assert "which was removed; its history keeps the name" in refused()["name"]


def test_a_set_up_that_was_rejected_can_be_planned_again_or_called_off(ask, world, ida, mona):
    service = ask()
    world.work()
    step = service.steps.get()
    approvals.reject(step_id=step.pk, user=mona, shown=shown(step), comment="Not there")
    managed.retry(step_id=step.pk, user=ida)
    world.work()
    step.refresh_from_db()
    assert (step.status, step.gate) == (StepStatus.WAITING, True)
    managed.cancel(step_id=step.pk, user=ida)
    service.refresh_from_db()
    assert service.removed_at is not None


@pytest.mark.parametrize(
    ("held", "takes_all", "changes", "said"),
    [
        (200, False, {"priority": 200}, "200 is a rule that asks for host-header a.b"),
        (199, False, {"priority": 200}, "199 is a rule that asks for host-header a.b"),
        (50, True, {"priority": 200}, "No request would reach the service: 50 is"),
        (300, False, {"priority": 200, "hostnames": []}, "300 is a rule that asks for host-header a.b. Give it hosts"),
        (50_000, False, {"hostnames": []}, "no room for the service's rules"),
        (9, False, {"priority": 1}, "from 2 to 50000"),
    ],
)  # fmt: skip
def test_a_priority_that_can_not_be_had_is_refused_with_the_reason(
    refused, listener, held, takes_all, changes, said
):
    listener.holds(held, takes_all=takes_all)
    assert said in refused(**changes)["priority"]


def test_a_full_load_balancer_is_refused(refused, listener):
    listener.groups = 99
    said = refused()["listener_arn"]
    assert said == "There is no room: 50 of 50 services on this load balancer. Use another load balancer."


def test_what_is_being_set_up_on_any_listener_of_the_load_balancer_counts_as_there(ask, listener):
    listener.groups = 84
    ServiceFactory.create(listener_arn=f"{LOAD_BALANCER}/3", set_up_at=None)
    ServiceFactory.create(listener_arn=f"{LOAD_BALANCER}0/3", set_up_at=None)
    assert str(look_at(WANTED).room) == "43 of 50 services on this load balancer"


@pytest.mark.parametrize(
    ("name", "field", "said"),
    [
        ("cart", "name", "There is a service cart already."),
        ("till", "family", "till has this family in eu-central-1"),
    ],
)
def test_a_taken_name_or_family_is_refused_with_who_has_it(refused, name, field, said):
    ServiceFactory.create(name=name, family="crt")
    found = refused()
    assert list(found) == [field]
    assert said in found[field]


def test_a_family_is_free_in_another_region(ask):
    ServiceFactory.create(family="crt", region="eu-west-1")
    assert ask().family == "crt"


def test_all_that_is_wrong_is_said_at_once(refused):
    found = refused(name="new", tag="${x}", hostnames=["<b>"], log_retention_days=2)
    assert set(found) == {"name", "tag", "hostnames", "log_retention_days"}


@pytest.mark.parametrize(
    ("header", "taken"), [(None, True), (CanaryHeader(name="X-Try", value="v" * 16), False)]
)
def test_a_header_leaves_room_for_one_host_less(ask, refused, header, taken):
    changes = {"hostnames": ["a", "b", "c"], "paths": ["/a"], "canary_header": header}
    if taken:
        assert ask(**changes).paths == ["/a"]
    else:
        assert "together may be 3" in refused(**changes)["paths"]


def test_a_header_has_a_priority_of_its_own_and_its_value_is_in_no_event(ask):
    service = ask(canary_header=CanaryHeader(name="X-Try", value="abcdefghijklmnop"))
    assert (service.priority, service.canary_header_name) == (3, "X-Try")
    assert "abcdefghijklmnop" not in str(list(AuditEvent.objects.values()))


def test_more_addresses_than_fit_are_refused(ask):
    with pytest.raises(InvalidCanary, match="room for 3"):
        ask(canary_addresses=["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"])
    assert not Service.objects.exists()


def test_what_was_said_is_what_the_service_has(ask):
    service = ask(
        paths=["/api/*"],
        tags={"team": "pay"},
        log_retention_days=30,
        provisioned_concurrency=2,
        role_permissions_boundary="arn:aws:iam::123456789012:policy/boundary",
        rotation="swap",
    )
    assert (service.paths, service.tags, service.log_retention_days) == (["/api/*"], {"team": "pay"}, 30)
    assert (service.provisioned_concurrency, service.rotation) == (2, "swap")
    assert service.role_permissions_boundary.endswith(":policy/boundary")


@pytest.mark.parametrize("code", ["aws:listener-missing", "aws:refused", "aws:unreachable"])
def test_a_listener_that_can_not_be_read_is_said_at_its_field(refused, listener, code):
    listener.fails = AwsError(code, "AWS says why.")
    assert refused() == {"listener_arn": "AWS says why."}


def test_an_account_that_is_not_listed_is_said_at_its_field(refused, settings):
    settings.AWS_ACCOUNTS = {"210987654321": Account(account_id="210987654321")}
    assert "is not among those that Bluegreen may work in" in refused()["account_id"]


def test_an_image_that_is_not_there_is_said_at_its_field(refused, monkeypatch):
    def missing(*_: object) -> None:
        raise AwsError("aws:image-missing", "There is no image v9.")

    monkeypatch.setattr(images, "resolve_image", missing)
    assert refused(tag="v9") == {"tag": "There is no image v9."}


def test_a_name_that_is_taken_between_the_question_and_the_answer_is_refused(refused, monkeypatch):
    asked: list[object] = []
    really = set_up_requests._taken_names

    def blind_at_first(new: NewService) -> dict[str, str]:
        asked.append(new)
        return really(new) if len(asked) > 1 else {}

    ServiceFactory.create(name="cart")
    monkeypatch.setattr(set_up_requests, "_taken_names", blind_at_first)
    assert "There is a service cart already" in refused()["name"]


@pytest.fixture
def _no_messages(monkeypatch):
    """No broker is asked: a transaction that really ends sends its messages."""
    monkeypatch.setattr(current_app, "send_task", lambda *_, **__: None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_no_messages")
def test_of_two_who_ask_for_the_same_priority_at_once_one_is_refused(ask):
    answers = at_once(
        lambda: ask(name="cart", family="cart", priority=300),
        lambda: ask(name="till", family="till", priority=301),
    )
    assert sorted(answers) == ["", "set-up:invalid"]
    assert Service.objects.count() == Run.objects.count() == 1
    assert AuditEvent.objects.filter(action="service.created").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_no_messages")
def test_of_two_who_take_the_last_place_of_a_load_balancer_at_once_one_is_refused(ask, listener):
    listener.groups = 98
    answers = at_once(*[partial(ask, name=name, family=name) for name in ("one", "two")])
    assert sorted(answers) == ["", "set-up:invalid"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_no_messages")
def test_two_who_leave_the_priority_to_be_derived_at_once_both_get_one(ask):
    names = ["cart", "till", "desk", "shop"]
    answers = at_once(*[partial(ask, name=name, family=name) for name in names])
    assert answers == [""] * 4
    assert sorted(Service.objects.values_list("priority", flat=True)) == [2, 4, 6, 8]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_no_messages")
def test_of_two_who_ask_for_the_same_name_at_once_one_is_refused(ask):
    assert sorted(at_once(ask, ask)) == ["", "set-up:invalid"]
    assert Service.objects.count() == 1
