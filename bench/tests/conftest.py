"""The demo's service and people, with a worker and a load balancer that are stood in for."""

import time
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

import bench.demo
from aws import images, load_balancer, session
from aws.images import Image
from aws.load_balancer import Rule
from bench.demo import Demo
from releases import dispatch, selectors
from releases.domain.access.decisions import Permission
from releases.domain.lifecycle import StepStatus
from releases.domain.traffic import ROTATIONS
from releases.models import Service, Step
from releases.permissions import grant
from releases.services import rollout
from terraform_runner.domain.runs import Operation
from terraform_runner.models import Run
from tests.scenes import IMAGES, make_service

PASSWORD = "correct"
PEOPLE = {
    "requester": [Permission.VIEW, Permission.REQUEST],
    "manager": [Permission.VIEW, Permission.APPROVE, Permission.EMERGENCY],
    "operator": [Permission.VIEW, Permission.OPERATE],
}


@pytest.fixture
def service(db) -> Service:
    return make_service()


@pytest.fixture
def demo(service) -> Demo:
    for name, permissions in PEOPLE.items():
        grant(User.objects.create_user(name, password=PASSWORD), service, *permissions)
    return Demo(address="http://127.0.0.1:9", service=service, sandbox=None)  # type: ignore[arg-type]


class Worker:
    """Brings a step where a run would bring it, while somebody waits for that; ``problem`` makes each run fail.

    Without ``bakes`` a step is done when it is applied; a ``balancer`` gets the step's share as green's weight.
    """

    def __init__(self) -> None:
        self.problem = ""
        self.bakes = True
        self.balancer: LoadBalancer | None = None
        self.queued: list[UUID] = []

    def work(self, seconds: float) -> None:
        """What happens while somebody sleeps."""
        while self.queued:
            self.execute(self.queued.pop(0))

    def execute(self, run_id) -> None:
        run = Run.objects.get(pk=run_id)
        step = Step.objects.filter(step_runs__run=run)
        if self.problem:
            step.update(status=StepStatus.FAILED.value, problem=self.problem)
        elif run.operation == Operation.PLAN:
            Run.objects.filter(pk=run_id).update(plan_sha256="a" * 64, changes_digest="b" * 64)
            step.update(status=StepStatus.WAITING.value)
        else:
            self._apply(step)
        rollout.advance(selectors.step_of_run(run).service)

    def _apply(self, step) -> None:
        share = step.get().candidate_share
        Service.objects.filter(pk=step.get().service_id).update(green_weight=share)
        if self.balancer:
            weights = {"green": share}
            self.balancer.set_weights(None, step.get().service.traffic_rule_arn, weights)
        if step.get().transition in ROTATIONS or not self.bakes:
            step.update(status=StepStatus.DONE.value)
        else:
            later = timezone.now() + timedelta(days=1)
            step.update(status=StepStatus.BAKING.value, bake_until=later)


@pytest.fixture
def worker(monkeypatch) -> Worker:
    made = Worker()
    monkeypatch.setattr(dispatch, "send_run", lambda run_id, **_: made.queued.append(run_id))
    monkeypatch.setattr(bench.demo, "time", SimpleNamespace(sleep=made.work, monotonic=time.monotonic))
    monkeypatch.setattr(images, "resolve_image", _image)
    return made


class LoadBalancer:
    """The weights of its rules, as they were set last."""

    def __init__(self) -> None:
        self.weights: dict[str, dict[str, int]] = {}

    def set_weights(self, access, rule_arn, weights) -> None:
        self.weights[rule_arn] = dict(weights)

    def read_rules(self, access, arns) -> dict[str, Rule]:
        return {arn: self._rule(arn) for arn in arns}

    def _rule(self, arn) -> Rule:
        nothing: frozenset[str] = frozenset()
        return Rule(
            arn=arn,
            priority=200,
            weights=self.weights.get(arn, {}),
            stickiness_seconds=0,
            source_ips=nothing,
            hostnames=nothing,
            paths=nothing,
            headers={},
            other_conditions=nothing,
        )


@pytest.fixture
def balancer(monkeypatch) -> LoadBalancer:
    made = LoadBalancer()
    monkeypatch.setattr(load_balancer, "set_weights", made.set_weights)
    monkeypatch.setattr(load_balancer, "read_rules", made.read_rules)
    monkeypatch.setattr(session, "connect", lambda access: None)
    return made


def _image(access, wanted) -> Image:
    tag = wanted.rpartition(":")[2]
    digest = IMAGES[tag].partition("@")[2]
    return Image(tag=tag, digest=digest, pushed_at=timezone.now(), reference=IMAGES[tag])
