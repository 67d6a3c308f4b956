from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from audit.events import Actor
from aws import functions, images, leftovers, listeners, load_balancer, log_groups
from aws.credentials import Credentials
from aws.images import Image
from aws.listeners import Listener, ListenerRule
from releases import selectors
from releases.domain.access.decisions import Permission
from releases.domain.approval.approval_policy import PlanIdentity
from releases.domain.plans import guard
from releases.models import Policy, Release, Service, Step
from releases.permissions import grant
from releases.services import requests
from releases.services.approval import approvals
from releases.services.execution import runs, waking
from releases.services.provisioning import setup
from releases.services.provisioning.setup import NewService
from releases.services.requests import ReleaseRequest
from releases.services.rollback import emergency, reasons, rehearsed_plans
from releases.services.tests.world import REPOSITORY, StandInHold, World, reference
from terraform_runner import executor

CREDENTIALS = Credentials(access_key_id="key", secret_access_key="secret")
TESTS = Actor(id="", name="tests", via="command")


def image(access, wanted):
    tag = wanted.rpartition(":")[2]
    ref = reference(tag)
    return Image(tag=tag, digest=ref.partition("@")[2], pushed_at=timezone.now(), reference=ref)


@pytest.fixture
def world(monkeypatch) -> World:
    made = World()
    monkeypatch.setattr(runs, "Hold", StandInHold)
    monkeypatch.setattr(runs, "credentials_for_run", lambda *_: CREDENTIALS)
    monkeypatch.setattr(runs, "VERIFY_PAUSE_SECONDS", 0)
    monkeypatch.setattr(runs, "read_reality", made.read_reality)
    monkeypatch.setattr(rehearsed_plans, "read_reality", made.read_reality)
    monkeypatch.setattr(waking, "read_reality", made.read_reality)
    monkeypatch.setattr(waking, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(runs, "differences_from_plan", lambda *_: made.differences())
    monkeypatch.setattr(executor, "plan", made.plan)
    monkeypatch.setattr(executor, "apply", made.apply)
    monkeypatch.setattr(guard, "check_plan", lambda *_: made.refusals)
    monkeypatch.setattr(guard, "changes_nothing", lambda _: made.planned_nothing)
    monkeypatch.setattr(load_balancer, "read_rules", made.read_rules)
    monkeypatch.setattr(load_balancer, "set_weights", made.set_weights)
    monkeypatch.setattr(log_groups, "read_retention", made.read_retention)
    for nothing in ("has_role", "has_function", "find_target_group"):
        monkeypatch.setattr(leftovers, nothing, lambda *_: "")
    monkeypatch.setattr(images, "resolve_image", image)
    monkeypatch.setattr(functions, "publish", made.publish)
    monkeypatch.setattr(listeners, "is_internet_facing", lambda *_: True)
    return made


@pytest.fixture
def service(db, world) -> Service:
    """Set up, with v1 on both colours."""
    new = NewService(
        name="shop",
        family="shop",
        environment="production",
        region="eu-central-1",
        account_id="123456789012",
        listener_arn="arn:listener",
        repository_uri=REPOSITORY,
        tag="v1",
        canary_addresses=["203.0.113.7/32"],
        settle_seconds=0,
        rollback_window_seconds=0,
    )
    made = setup.create_service(new, actor=TESTS)
    world.work()
    made.refresh_from_db()
    return made


@pytest.fixture
def person(service) -> Callable[..., User]:
    def make(name: str, *permissions: Permission) -> User:
        user = User.objects.create_user(name)
        grant(user, service, *permissions)
        return user

    return make


@pytest.fixture
def requester(person) -> User:
    return person("rita", Permission.VIEW, Permission.REQUEST)


@pytest.fixture
def manager(person) -> User:
    return person("mona", Permission.VIEW, Permission.REQUEST, Permission.APPROVE, Permission.EMERGENCY)


@pytest.fixture
def operator(person) -> User:
    return person("otto", Permission.VIEW, Permission.OPERATE, Permission.EMERGENCY)


class Life:
    """A release's life as people drive it, in as few words as the tests need."""

    def __init__(
        self, world: World, service: Service, requester: User, manager: User, operator: User
    ) -> None:
        self.world, self.service = world, service
        self.requester, self.manager, self.operator = requester, manager, operator

    def ask_for(self, tag: str = "v2", **wanted) -> Release:
        """Request a release; no worker has done anything yet."""
        self.say_why()
        given = ReleaseRequest(**{"tag": tag, "weights": [10, 50], **wanted})
        return requests.request_release(service_id=self.service.pk, user=self.requester, wanted=given)

    def request(self, tag: str = "v2", **wanted) -> Release:
        release = self.ask_for(tag, **wanted)
        self.world.work()
        return release

    def step(self) -> Step:
        """The step that the release is at."""
        return selectors.unfinished_steps(self.service)[0]

    def start(self) -> None:
        approvals.start(step_id=self.step().pk, user=self.operator)
        self.world.work()

    def approve(self, **changes) -> None:
        approvals.approve(**{**self.shown(), "user": self.manager, **changes})
        self.world.work()

    def reject(self, **changes) -> None:
        approvals.reject(**{**self.shown(), "user": self.manager, "comment": "not today", **changes})
        self.world.work()

    def shown(self) -> dict:
        step = self.step()
        assert step.plan_run is not None
        plan = PlanIdentity(sha256=step.plan_run.plan_sha256, changes_digest=step.plan_run.changes_digest)
        return {"step_id": step.pk, "shown": plan}

    def go_on(self) -> None:
        """Start the step and approve it where it has a gate."""
        gate = self.step().gate
        self.start()
        if gate:
            self.approve()

    def go_to(self, share: int) -> None:
        """Go on until the candidate has this share of the users, 100 included."""
        while self.now().candidate_share != share:
            self.go_on()

    def roll_back(self, user: User | None = None):
        return emergency.roll_back(service_id=self.service.pk, user=user or self.operator)

    def say_why(self) -> None:
        """Give the reasons that are due."""
        for rollback in self.service.rollbacks.filter(reason=""):
            reasons.give_reason(rollback.pk, user=self.operator, reason="An exercise")

    def now(self):
        """The recorded state."""
        self.service.refresh_from_db()
        return self.service.state


@pytest.fixture
def life(world, service, requester, manager, operator) -> Life:
    return Life(world, service, requester, manager, operator)


@pytest.fixture
def set_policy(service) -> Callable[..., None]:
    """Give the service a policy of its own, as it is kept, by whom nobody asks."""

    def set_policy(**content) -> None:
        Policy.objects.update_or_create(service=service, defaults={"content": content})

    return set_policy


@pytest.fixture
def member(person) -> Callable[..., User]:
    """Somebody who may approve, in these groups."""

    def make(name: str, *groups: str) -> User:
        user = person(name, Permission.VIEW, Permission.APPROVE)
        user.groups.set([Group.objects.get_or_create(name=group)[0] for group in groups])
        return user

    return make


@pytest.fixture
def rules(monkeypatch) -> list[ListenerRule]:
    """The listener's rules as AWS has them, to be added to."""
    found = [
        ListenerRule(arn="arn:rule/traffic", priority=200, asks_for="path-pattern /*", takes_all=True),
        ListenerRule(arn="arn:rule/canary", priority=199, asks_for="source-ip 192.0.2.1/32", takes_all=False),
    ]
    listener = Listener(
        arn="arn:listener",
        load_balancer_arn="arn:loadbalancer/app/demo/1",
        load_balancer_name="demo",
        port=443,
        protocol="HTTPS",
    )
    monkeypatch.setattr(listeners, "read_listener", lambda *_: listener)
    monkeypatch.setattr(listeners, "list_rules", lambda *_: found)
    monkeypatch.setattr(listeners, "count_target_groups", lambda *_: 2)
    return found


@pytest.fixture
def keeper(person):
    """Who looks after the service."""
    return person("kim", Permission.VIEW, Permission.MANAGE, Permission.APPROVE)


@pytest.fixture
def approve(world, manager):
    def approve(step: Step, user=None) -> Step:
        run = Step.objects.get(pk=step.pk).plan_run
        assert run is not None
        shown = PlanIdentity(sha256=run.plan_sha256, changes_digest=run.changes_digest)
        approvals.approve(step_id=step.pk, user=user or manager, shown=shown)
        world.work()
        step.refresh_from_db()
        return step

    return approve
