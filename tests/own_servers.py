"""What people do at an installation with servers of its own: ``python -m tests.own_servers ACT …``.

Its environment is the installation's; what it finds goes to standard output as JSON.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluegreen.settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402 - models can be imported only now
from django.utils import timezone  # noqa: E402

from audit.events import Actor  # noqa: E402
from releases import selectors  # noqa: E402
from releases.domain.access.decisions import Permission  # noqa: E402
from releases.domain.approval.approval_policy import PlanIdentity  # noqa: E402
from releases.domain.lifecycle import ReleaseStatus, StepStatus  # noqa: E402
from releases.models import Release, Service, Step  # noqa: E402
from releases.permissions import grant  # noqa: E402
from releases.services import requests  # noqa: E402
from releases.services.approval import approvals  # noqa: E402
from releases.services.provisioning import setup  # noqa: E402
from releases.services.provisioning.setup import NewService  # noqa: E402
from releases.services.requests import ReleaseRequest  # noqa: E402
from terraform_runner.models import Run  # noqa: E402

TESTS = Actor(id="", name="tests", via="command")
PATIENCE_SECONDS = 240


def set_up(place: str, *names: str) -> None:
    """Ask for services; ``place`` is the sandbox's, as JSON."""
    for number, name in enumerate(names):
        new = NewService(
            **json.loads(place),
            name=name,
            family=name,
            environment="production",
            tag="blue",
            hostnames=[f"{name}.example.com"],
            priority=_free_priority() + 2 * number,
            settle_seconds=1,
            bake_seconds=0,
        )
        service = setup.create_service(new, actor=TESTS)
        for person, right in (("requester", Permission.REQUEST), ("manager", Permission.APPROVE)):
            user, _ = User.objects.get_or_create(username=person)
            grant(user, service, Permission.VIEW, Permission.OPERATE, right)


def request(tag: str, *names: str) -> None:
    """Request a release of each service, with half of the users in between."""
    requester = User.objects.get(username="requester")
    for name in names:
        wanted = ReleaseRequest(tag=tag, weights=[50], canary=False)
        requests.request_release(service_id=Service.objects.get(name=name).pk, user=requester, wanted=wanted)


def follow(*names: str) -> None:
    """Start and approve whatever comes, until every service's release is promoted."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while Release.objects.filter(service__name__in=names, status=ReleaseStatus.OPEN.value).exists():
        if time.monotonic() > deadline:
            sys.exit(f"Not promoted in time: {[str(step) for step in Step.objects.all()]}")
        for service in Service.objects.filter(name__in=names):
            _go_on(service)
        time.sleep(0.2)


def runs() -> None:
    """Every run: its service, what it did, how and where it ended, from when to when."""
    names = {str(service.pk): service.name for service in Service.objects.all()}
    sys.stdout.write(json.dumps([_in_json(run, names) for run in Run.objects.order_by("queued_at")]))


def steps() -> None:
    """The status and the problem of every step that has not come to its end, by service."""
    found = {step.service.name: [step.status, step.problem] for step in Step.objects.all() if step.problem}
    open_ = Step.objects.exclude(status__in=[StepStatus.DONE.value, StepStatus.FAILED.value])
    sys.stdout.write(json.dumps({"problems": found, "open": open_.count()}))


def _free_priority() -> int:
    return 30_001 + 2 * Service.objects.count()


def _go_on(service: Service) -> None:
    step = selectors.current_step(service)
    if step is None or step.status != StepStatus.WAITING or step.plan_run is None:
        return
    if step.started_at is None:
        approvals.start(step_id=step.pk, user=User.objects.get(username="requester"))
    if step.gate and not step.approvals.exists():
        plan = PlanIdentity(sha256=step.plan_run.plan_sha256, changes_digest=step.plan_run.changes_digest)
        approvals.approve(step_id=step.pk, user=User.objects.get(username="manager"), shown=plan)


def _in_json(run: Run, names: dict[str, str]) -> dict[str, Any]:
    return {
        "service": names[run.workspace],
        "operation": run.operation,
        "status": run.status,
        "host": run.worker.partition("/")[0],
        "began": run.started_at.timestamp() if run.started_at else None,
        "ended": (run.ended_at or timezone.now()).timestamp(),
    }


ACTS: dict[str, Callable[..., None]] = {
    "set-up": set_up,
    "request": request,
    "follow": follow,
    "runs": runs,
    "steps": steps,
}

if __name__ == "__main__":
    ACTS[sys.argv[1]](*sys.argv[2:])
