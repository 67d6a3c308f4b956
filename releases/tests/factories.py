"""What tests begin with: one factory makes one row; the functions below put together what belongs together."""

import hashlib
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from factory.declarations import LazyAttribute, LazyFunction, SelfAttribute, Sequence, SubFactory
from factory.django import DjangoModelFactory, Password

from audit.events import Actor
from releases.domain.access.decisions import Permission
from releases.domain.access.roles import Role
from releases.domain.lifecycle import StepStatus
from releases.domain.rollout_plan import build_steps
from releases.domain.traffic import Color, Transition, Version, target_state
from releases.models import Approval, BrokenGlass, Release, Service, Step, StepRun
from releases.permissions import grant
from releases.services import states
from releases.services.access.rights import Holder
from releases.services.access.roles import Place, record_given
from releases.services.approval import gates
from terraform_runner.domain.runs import Operation, RunStatus
from terraform_runner.models import LogChunk, Run

REPOSITORY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nginx-lambda"
ALB = "arn:aws:elasticloadbalancing:eu-central-1:123456789012"
PASSWORD = "correct horse battery"
TESTS = Actor(id="", name="tests", via="command")


def digest(text: str) -> str:
    """Any text as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def image_of(tag: str) -> str:
    """The reference by digest that the image of this tag has in these tests."""
    return f"{REPOSITORY}@sha256:{digest(tag)}"


class UserFactory(DjangoModelFactory[User]):
    """Somebody who may sign in with ``PASSWORD``, and may do nothing."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = Sequence(lambda number: f"person-{number}")
    password = Password(PASSWORD)


class ServiceFactory(DjangoModelFactory[Service]):
    """A service that is set up: both colours run "blue", everyone is on the blue one."""

    class Meta:
        model = Service

    name = Sequence(lambda number: f"service-{number}")
    family = Sequence(lambda number: f"svc-{number}")
    region = "eu-central-1"
    account_id = "123456789012"
    listener_arn = f"{ALB}:listener/app/demo-alb/1/2"
    repository_uri = REPOSITORY
    canary_addresses = ["127.0.0.9/32"]
    weights = [10, 25, 50, 75]
    bake_seconds = 0
    settle_seconds = 1
    set_up_at = LazyFunction(timezone.now)
    blue_image = image_of("blue")
    green_image = image_of("blue")
    blue_tag = "blue"
    green_tag = "blue"
    traffic_rule_arn = LazyAttribute(lambda service: f"{ALB}:listener-rule/{service.name}/traffic")
    canary_rule_arn = LazyAttribute(lambda service: f"{ALB}:listener-rule/{service.name}/canary")
    blue_target_group_arn = LazyAttribute(lambda service: f"{ALB}:targetgroup/{service.name}-blue/1")
    green_target_group_arn = LazyAttribute(lambda service: f"{ALB}:targetgroup/{service.name}-green/1")
    blue_function_name = LazyAttribute(lambda service: f"{service.name}-blue")
    green_function_name = LazyAttribute(lambda service: f"{service.name}-green")
    blue_function_version = "1"
    green_function_version = "1"


class ReleaseFactory(DjangoModelFactory[Release]):
    """An open release of "green", without steps."""

    class Meta:
        model = Release

    service = SubFactory(ServiceFactory)
    number = Sequence(lambda number: number + 1)
    image = LazyAttribute(lambda release: image_of(release.tag))
    tag = "green"
    from_image = image_of("blue")
    from_tag = "blue"
    canary_addresses = LazyAttribute(lambda release: release.service.canary_addresses)
    reason = "Fix the VAT"
    requested_by = SubFactory(UserFactory)


class StepFactory(DjangoModelFactory[Step]):
    """A canary step that is still to come."""

    class Meta:
        model = Step

    release = SubFactory(ReleaseFactory)
    service = SelfAttribute("release.service")
    transition = Transition.CANARY.value
    candidate_share = 0


class RunFactory(DjangoModelFactory[Run]):
    """A plan run that has just been queued."""

    class Meta:
        model = Run

    workspace = Sequence(lambda number: f"workspace-{number}")
    operation = Operation.PLAN.value


def person(name: str, service: Service, *permissions: Permission) -> User:
    """Somebody with these rights on a service."""
    user = UserFactory.create(username=name)
    grant(user, service, *permissions)
    return user


def give(holder: Holder, service: Service, *roles: Role) -> None:
    """Give somebody these roles on a service."""
    for role in roles:
        record_given(role, holder, Place(service=service), actor=TESTS)


def requester(service: Service) -> User:
    """Who may request, as in the demo."""
    return person("requester", service, Permission.VIEW, Permission.REQUEST)


def manager(service: Service) -> User:
    """Who may approve, as in the demo."""
    held = (Permission.VIEW, Permission.REQUEST, Permission.APPROVE, Permission.EMERGENCY, Permission.AUDIT)
    return person("manager", service, *held)


def operator(service: Service) -> User:
    """Who may start steps, as in the demo."""
    return person("operator", service, Permission.VIEW, Permission.OPERATE, Permission.EMERGENCY)


def release_with_steps(service: Service, requested_by: User, **columns: Any) -> Release:
    """A release with the steps of the service's usual rollout plan, all to come."""
    release = ReleaseFactory.create(service=service, requested_by=requested_by, **columns)
    planned = build_steps(service.state, Version(image=release.image), weights=service.weights)
    for position, step in enumerate(planned):
        StepFactory.create(
            release=release,
            position=position,
            transition=step.transition.value,
            candidate_share=step.candidate_share,
            gate=step.gate,
        )
    return release


def put_in_place(service: Service, release: Release) -> None:
    """Rotate: the candidate runs the release's version, the rotation's steps are done."""
    candidate = service.state.candidate.value
    setattr(service, f"{candidate}_image", release.image)
    setattr(service, f"{candidate}_tag", release.tag)
    service.save()
    rotations = release.steps.filter(transition__startswith="rotate")
    rotations.update(status=StepStatus.DONE.value, ended_at=timezone.now())


def waiting_step(step: Step, *, log: str = "Plan: 0 to add, 1 to change, 0 to destroy.") -> Step:
    """Give a step a plan from the service's state to what its transition makes of it: it waits."""
    service, release = step.service, step.release
    before = service.state
    after = target_state(
        before,
        Transition(step.transition),
        version=Version(image=release.image) if release else None,
        share=step.candidate_share,
        safe_color=Color(service.safe_color),
        canary_addresses=release.canary_addresses if release else None,
    )
    step.plan_run = finished_plan(step, log=log)
    step.status = StepStatus.WAITING.value
    step.state_before, step.state_after = states.to_json(before), states.to_json(after)
    step.epoch = service.epoch
    step.save()
    gates.ask(service, step)
    return step


def finished_plan(step: Step, *, log: str = "") -> Run:
    """A plan run that has succeeded, with its digests, a change and a line of output."""
    run = RunFactory.create(
        workspace=str(step.service_id),
        status=RunStatus.SUCCEEDED.value,
        started_at=timezone.now() - timedelta(minutes=2),
        ended_at=timezone.now() - timedelta(minutes=1),
        plan_sha256=digest(f"plan {step.pk}"),
        changes_digest=digest(f"changes {step.pk}"),
        changes=[CHANGE],
    )
    StepRun.objects.create(step=step, run=run)
    if log:
        LogChunk.objects.create(run=run, first_line=0, lines=log.splitlines())
    return run


def approve(step: Step, user: User, comment: str = "") -> Approval:
    """An approval of the plan that a step has."""
    run = step.plan_run
    if run is None:
        raise ValueError("There is no plan to approve.")
    approval = Approval.objects.create(
        step=step,
        plan_run=run,
        plan_sha256=run.plan_sha256,
        changes_digest=run.changes_digest,
        epoch=step.service.epoch,
        decision="approved",
        decided_by=user,
        comment=comment,
    )
    gates.ask(step.service, step)
    return approval


def broken_glass(step: Step, user: User) -> BrokenGlass:
    """A gate that somebody opened alone, for the plan that the step has."""
    run = step.plan_run
    if run is None:
        raise ValueError("There is no plan to open the gate for.")
    return BrokenGlass.objects.create(
        step=step,
        plan_run=run,
        plan_sha256=run.plan_sha256,
        changes_digest=run.changes_digest,
        epoch=step.service.epoch,
        broken_by=user,
        reason="The shop is down",
    )


CHANGE = {
    "address": "module.service.aws_lb_listener_rule.canary",
    "type": "aws_lb_listener_rule",
    "name": "canary",
    "actions": ["update"],
    "action_reason": None,
    "attributes": [
        {
            "path": "condition[0].source_ip[0].values[0]",
            "before": "192.0.2.1/32",
            "after": "127.0.0.9/32",
            "unknown": False,
            "sensitive": False,
        }
    ],
}
