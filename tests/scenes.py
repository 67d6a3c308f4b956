"""Services, people and releases as the tests of pages and streams need them, without AWS and Terraform."""

from django.contrib.auth.models import User
from django.utils import timezone

from releases.domain.decisions import Permission
from releases.models import Service, Step, StepRun
from releases.permissions import grant
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
        family="nginx-svc",
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
