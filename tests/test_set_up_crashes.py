"""A first set-up that is killed after each resource that AWS has made of it, with the real Terraform."""

import os
import signal
import threading

import pytest
from django.db import connections

from infra.local.tests.waiting import wait_for
from infra.sandbox.testing import fault, held
from infra.sandbox.tests.service import client
from releases.domain.lifecycle import StepStatus
from releases.models import Service, Step
from releases.services import rollout
from releases.services.execution import runs
from releases.services.lifecycle import locked
from releases.services.provisioning import setup
from releases.services.tests.conftest import TESTS
from terraform_runner import claims
from terraform_runner.claims import worker_name
from terraform_runner.domain.runs import Operation, RunStatus
from terraform_runner.models import Run
from tests.crashing import next_service, use_bucket
from tests.life import Life, use_sandbox

pytestmark = [
    pytest.mark.fault,
    pytest.mark.terraform,
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
]

MAKES = r"Create(Role|TargetGroup|Rule)|POST /2015-03-31/functions(/[^/]+/(aliases|policy))?/?"
MOST_CRASHES = 20


def execute(run: Run) -> threading.Thread:
    """A worker's thread, which is given."""

    def work() -> None:
        try:
            runs.execute(run.pk, worker=worker_name())
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def killed_at_next_resource(life: Life, run: Run) -> bool:
    """Kill Terraform as soon as AWS has made another resource. False if it has made none: then it came to its end."""
    with fault(life.sandbox, call=MAKES, act="hold", when="after"):
        thread = execute(run)
        wait_for(lambda: held(life.sandbox) or not thread.is_alive(), "a resource to be made", seconds=180)
        was_made = bool(held(life.sandbox))
        if was_made:
            run.refresh_from_db()
            os.killpg(run.process_group or 0, signal.SIGKILL)
    thread.join()
    return was_made


def test_a_set_up_that_is_killed_after_each_resource_makes_none_twice(
    sandbox, terraform_cli, settings, tmp_path
):
    use_sandbox(sandbox, terraform_cli, settings, tmp_path / "data")
    use_bucket(sandbox, settings)
    life = Life(sandbox=sandbox, service=setup.create_service(next_service(sandbox), actor=TESTS))
    crashes = 0
    while queued := Run.objects.filter(status=RunStatus.QUEUED).first():
        if queued.operation == Operation.APPLY:
            # So that it is not given up after three.
            Step.objects.get().step_runs.filter(run__status=RunStatus.FAILED).delete()
            crashes += killed_at_next_resource(life, queued)
        else:
            execute(queued).join()
        assert crashes < MOST_CRASHES

    step = Step.objects.get()
    assert (step.status, step.problem) == (StepStatus.DONE, "")
    # The role, and two of each: functions, aliases, permissions, groups and rules. Some are made side by side.
    assert crashes >= 6
    service = Service.objects.get()
    rules = client(sandbox, "elbv2").describe_rules(ListenerArn=service.listener_arn)["Rules"]
    own = {rule["RuleArn"] for rule in rules if service.hostnames[0] in str(rule["Conditions"])}
    assert own == set(service.rule_arns.values())
    for name in (service.blue_function_name, service.green_function_name):
        versions = client(sandbox, "lambda").list_versions_by_function(FunctionName=name)["Versions"]
        assert [one["Version"] for one in versions] == ["$LATEST", "1"]


def test_a_set_up_that_is_stopped_while_it_makes_a_function_goes_on_with_that_one(
    sandbox, terraform_cli, settings, tmp_path
):
    use_sandbox(sandbox, terraform_cli, settings, tmp_path / "data")
    life = Life(sandbox=sandbox, service=setup.create_service(next_service(sandbox), actor=TESTS))
    execute(Run.objects.get(status=RunStatus.QUEUED)).join()
    apply = Run.objects.get(status=RunStatus.QUEUED)
    with fault(life.sandbox, call="GET /2015-03-31/functions/.*", act="hold", when="before"):
        thread = execute(apply)
        wait_for(lambda: held(life.sandbox), "a function to be made and waited for", seconds=180)
        claims.request_cancel(workspace=str(life.service.pk), reason="a test stops it")
        thread.join()
    step = Step.objects.get()
    assert step.status == StepStatus.FAILED

    with locked(life.service.pk) as service:
        rollout.plan(service, step, actor=TESTS, action="step.retried")
    life.work()
    step.refresh_from_db()
    assert step.status == StepStatus.DONE, step.problem
