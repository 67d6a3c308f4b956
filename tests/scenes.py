"""Services, people and releases as the tests of pages and streams need them, without AWS and Terraform."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from releases.domain.access.decisions import Permission
from releases.domain.lifecycle import StepStatus
from releases.domain.rollout_plan import PlannedStep, build_steps
from releases.domain.traffic import Transition, Version
from releases.models import Release, Service, Step, StepRun
from releases.permissions import grant
from releases.services import states
from releases.services.approval import gates
from terraform_runner.domain.runs import Operation, RunStatus
from terraform_runner.models import LogChunk, Run

REPOSITORY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nginx-lambda"
IMAGES = {
    tag: f"{REPOSITORY}@sha256:{letter * 64}"
    for tag, letter in (("blue", "b"), ("green", "a"), ("yellow", "e"))
}
ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012"


def make_person(name: str, service: Service, *permissions: Permission) -> User:
    """An account with rights on a service."""
    user = User.objects.create(username=name)
    grant(user, service, *permissions)
    return user


def make_service(name: str = "nginx-lambda") -> Service:
    """A service that has been set up, with ``blue`` in both colours."""
    group = f"{ARN}:targetgroup/{name}"
    rule = f"{ARN}:listener-rule/app/demo-alb/1/2"
    return Service.objects.create(
        name=name,
        family=name,
        region="eu-central-1",
        account_id="123456789012",
        listener_arn=f"{ARN}:listener/app/demo-alb/1/2",
        repository_uri=REPOSITORY,
        canary_addresses=["127.0.0.9/32"],
        weights=[10, 50],
        bake_seconds=0,
        settle_seconds=0,
        set_up_at=timezone.now(),
        blue_image=IMAGES["blue"],
        green_image=IMAGES["blue"],
        blue_tag="blue",
        green_tag="blue",
        traffic_rule_arn=f"{rule}/200",
        canary_rule_arn=f"{rule}/199",
        blue_target_group_arn=f"{group}-blue/3",
        green_target_group_arn=f"{group}-green/4",
        blue_function_name=f"{name}-blue",
        green_function_name=f"{name}-green",
        blue_function_version="1",
        green_function_version="1",
    )


def make_run(service: Service, *, lines: int = 0) -> Run:
    """A plan run that goes on, of a step of its own, with so many lines in its log."""
    run = Run.objects.create(
        workspace=str(service.pk),
        operation=Operation.PLAN,
        status=RunStatus.RUNNING,
        started_at=timezone.now(),
    )
    step = Step.objects.create(
        service=service, transition="set_up", candidate_share=0, status="planning", plan_run=run
    )
    StepRun.objects.create(step=step, run=run)
    if lines:
        LogChunk.objects.create(
            run=run, first_line=0, lines=[f"line {number}" for number in range(1, lines + 1)]
        )
    return run


def make_planned_run(service: Service, *, sha256: str = "9ab3" + "0" * 60) -> Run:
    """A plan run that has ended, of a plan that lets the canary's addresses in."""
    attribute = {
        "path": "condition[1].source_ip[0].values[0]",
        "before": "192.0.2.1/32",
        "after": "127.0.0.9/32",
    }
    change: dict[str, Any] = {
        "address": "module.service.aws_lb_listener_rule.canary",
        "type": "aws_lb_listener_rule",
        "name": "canary",
        "actions": ["update"],
        "action_reason": None,
        "attributes": [attribute | {"unknown": False, "sensitive": False}],
    }
    run = Run.objects.create(
        workspace=str(service.pk),
        operation=Operation.PLAN,
        status=RunStatus.SUCCEEDED,
        started_at=timezone.now(),
        ended_at=timezone.now(),
        plan_sha256=sha256,
        changes_digest="c" * 64,
        changes=[change],
    )
    LogChunk.objects.create(run=run, first_line=0, lines=[f"Plan: line {number}" for number in range(1, 60)])
    return run


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A release of ``green`` whose canary waits for an approval, and the three people of the demo."""

    service: Service
    release: Release
    step: Step
    plan_run: Run
    requester: User
    manager: User
    operator: User

    @property
    def path(self) -> str:
        """The release's page."""
        return f"/services/{self.service.name}/releases/{self.release.number}/"


def make_gate(name: str = "nginx-lambda") -> Gate:
    """The first rotation is done, the plan of the canary is there."""
    service = make_service(name)
    requester = make_person(f"requester-{name}", service, Permission.VIEW, Permission.REQUEST)
    manager = make_person(
        f"manager-{name}",
        service,
        Permission.VIEW,
        Permission.APPROVE,
        Permission.EMERGENCY,
        Permission.AUDIT,
    )
    operator = make_person(
        f"operator-{name}", service, Permission.VIEW, Permission.OPERATE, Permission.EMERGENCY
    )
    version = Version(image=IMAGES["green"])
    planned = build_steps(service.state, version, weights=[10, 50])
    Service.objects.filter(pk=service.pk).update(green_image=version.image, green_tag="green")
    service.refresh_from_db()
    release = Release.objects.create(
        service=service,
        number=1,
        image=version.image,
        tag="green",
        from_image=IMAGES["blue"],
        from_tag="blue",
        reason="Fix VAT",
        requested_by=requester,
    )
    steps = [_make_step(release, position, step) for position, step in enumerate(planned)]
    return Gate(
        service=service,
        release=release,
        step=steps[1],
        plan_run=Run.objects.get(operation=Operation.PLAN, workspace=str(service.pk)),
        requester=requester,
        manager=manager,
        operator=operator,
    )


def _make_step(release: Release, position: int, planned: PlannedStep) -> Step:
    service = release.service
    step = Step.objects.create(
        service=service,
        release=release,
        position=position,
        transition=planned.transition.value,
        candidate_share=planned.candidate_share,
        gate=planned.gate,
    )
    if position == 0:
        step.status, step.ended_at = StepStatus.DONE.value, timezone.now()
    if planned.transition is Transition.CANARY:
        step.status, step.plan_run = StepStatus.WAITING.value, make_planned_run(service)
        step.state_before = states.to_json(service.state)
        step.state_after = states.to_json(service.state.with_canary(True, service.canary_addresses))
        StepRun.objects.create(step=step, run=step.plan_run)
    step.save()
    if step.status == StepStatus.WAITING:
        gates.ask(service, step)
    return step
