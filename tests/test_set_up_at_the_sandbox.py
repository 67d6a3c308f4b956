"""A service that a person asks for, with the real Terraform: its plan, an approval by somebody else."""

import pytest
from django.contrib.auth.models import User

from conftest import TerraformCli
from infra.sandbox.info import SandboxInfo
from infra.sandbox.tests.service import client, make_service
from releases.domain.approval.approval_policy import PlanIdentity
from releases.domain.canary import CanaryHeader
from releases.domain.lifecycle import StepStatus
from releases.permissions import grant_set_up
from releases.services.approval.approvals import approve
from releases.services.errors import FieldsInvalid
from releases.services.provisioning import managed
from releases.services.provisioning.set_up_requests import Rights, look_at, request_set_up
from releases.services.provisioning.setup import NewService
from tests.life import Life, use_sandbox

pytestmark = [pytest.mark.terraform, pytest.mark.long, pytest.mark.django_db(transaction=True)]

NAME = "asked-for"


@pytest.fixture
def new(sandbox: SandboxInfo, terraform_cli: TerraformCli, settings, tmp_path) -> NewService:
    use_sandbox(sandbox, terraform_cli, settings, tmp_path / "data")
    return NewService(
        name=NAME,
        family=NAME,
        environment="staging",
        region=sandbox.region,
        account_id=sandbox.account_id,
        listener_arn=sandbox.listener_arn,
        repository_uri=sandbox.repository_uri,
        tag="blue",
        hostnames=["asked-for.example.com"],
        paths=["/api/*"],
        canary_slots=2,
        canary_header=CanaryHeader(name="X-Asked", value="0123456789abcdef"),
        tags={"team": "carts"},
    )


@pytest.fixture
def ida(transactional_db) -> User:
    user = User.objects.create_user("ida")
    grant_set_up(user)
    return user


def test_a_service_is_set_up_at_a_derived_priority_once_somebody_else_has_approved_its_plan(
    sandbox, new, ida
):
    make_service(sandbox, "neighbour", priority=4)
    room, max_ = look_at(new).room, User.objects.create_user("max")
    taken = {held.priority for held in look_at(new).rules}

    service = request_set_up(
        user=ida, new=new, priority=None, rights=Rights(approvers=(max_,)), reason="We sell carts"
    )
    assert not taken & set(range(service.priority - 3, service.priority + 1))
    with pytest.raises(FieldsInvalid, match=f"a rule of {NAME}"):
        request_set_up(
            user=ida,
            new=NewService(**{**vars(new), "name": "late", "family": "late"}),
            priority=service.priority,
            rights=Rights(approvers=(max_,)),
            reason="Too late",
        )
    life = Life(sandbox, service)
    life.work()
    step = service.steps.get()
    assert (step.problem, step.status) == ("", StepStatus.WAITING)
    assert look_at(new).room.target_groups == room.target_groups + 2

    run = step.plan_run
    assert run is not None
    shown = PlanIdentity(sha256=run.plan_sha256, changes_digest=run.changes_digest)
    approve(step_id=step.pk, user=max_, shown=shown)
    life.work()

    step.refresh_from_db()
    service.refresh_from_db()
    assert (step.problem, step.status, service.set_up_at is not None) == ("", StepStatus.DONE, True)
    arns = list(service.rule_arns.values())
    rules = client(sandbox, "elbv2").describe_rules(RuleArns=arns)["Rules"]
    assert sorted(int(rule["Priority"]) for rule in rules) == list(
        range(service.priority - 3, service.priority + 1)
    )
    assert look_at(new).room.target_groups == room.target_groups + 2


def test_a_set_up_that_is_called_off_has_left_nothing_and_its_priority_is_free(sandbox, new, ida):
    max_, before = User.objects.create_user("max"), look_at(new)
    rights = Rights(approvers=(max_,))
    service = request_set_up(user=ida, new=new, priority=27_000, rights=rights, reason="Try")
    Life(sandbox, service).work()
    managed.cancel(step_id=service.steps.get().pk, user=ida)
    assert look_at(new) == before
