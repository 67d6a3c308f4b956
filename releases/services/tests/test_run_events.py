"""What a plan, an apply and a verification leave in the trail."""

import pytest

from audit.context import acting_in
from audit.models import AuditEvent
from releases.domain.observed.reality import Difference
from releases.domain.plans.guard import Refusal
from releases.services.execution import outcomes
from releases.services.execution.run_events import DIFFERENCE_CHARACTERS, MOST_DIFFERENCES, read_back
from releases.services.tests.world import AWS_PROVIDER
from terraform_runner import claims
from terraform_runner.domain.runs import Operation
from terraform_runner.errors import TerraformFailed
from terraform_runner.models import Run

pytestmark = pytest.mark.django_db
TRAFFIC_RULE = "module.service.aws_lb_listener_rule.traffic"
BY_WHAT = {"command": "terraform it", "terraform": "1.11.4", "providers": {AWS_PROVIDER: "6.2.0"}}


def last(action: str) -> AuditEvent:
    return AuditEvent.objects.filter(action=action).latest("id")


def test_a_plan_is_told_with_its_digests_its_changes_and_the_guard_s_verdict(life):
    life.request()
    told, run = last("plan.made"), life.step().plan_run
    assert told.after == {
        **BY_WHAT,
        "run": str(run.pk),
        "worker": run.worker,
        "exit_code": 0,
        "seconds": (run.ended_at - run.started_at).total_seconds(),
        "plan_sha256": run.plan_sha256,
        "changes_digest": run.changes_digest,
        "counts": {"update": 1},
        "changes": {TRAFFIC_RULE: "update"},
        "state_serial": 7,
        "guard": "passed",
    }
    assert told.subject["step"] == str(life.step().pk)


def test_a_plan_that_the_guard_refuses_is_told_with_each_reason(life):
    life.world.refusals = [Refusal(address=TRAFFIC_RULE, attribute="", reason="would be deleted.")]
    life.request()
    told = last("plan.made")
    assert told.after["guard"] == "refused"
    assert told.reason == f"{TRAFFIC_RULE}: would be deleted."
    assert told.after["plan_sha256"]


def test_an_apply_is_told_with_what_ran_how_it_ended_and_the_state_before_and_after(life):
    life.request()
    step = life.step()
    life.go_on()
    step.refresh_from_db()
    begun, told = last("step.apply-started"), last("apply.ended")
    assert begun.after["plan_sha256"] == told.after["plan_sha256"] == step.plan_run.plan_sha256
    assert told.after.items() >= BY_WHAT.items()
    assert told.after["run"] == begun.after["run"] == str(step.apply_run_id)
    assert (told.after["result"], told.after["exit_code"], told.after["error"]) == ("succeeded", 0, "")
    assert (told.after["state_serial_before"], told.after["state_serial_after"]) == (7, 8)
    assert told.after["seconds"] >= 0


def test_an_apply_that_failed_is_told_too(life):
    life.world.apply_fails = TerraformFailed("It said no.", exit_code=3)
    life.request()
    life.go_on()
    told = last("apply.ended")
    assert (told.after["result"], told.after["exit_code"], told.after["state_serial_after"]) == (
        "failed",
        3,
        None,
    )
    assert told.reason == "It said no."


def test_an_apply_whose_worker_was_lost_is_told_too(life):
    life.request()
    step = life.step()
    run = claims.queue_run(workspace=str(step.service_id), operation=Operation.APPLY, plan_run=step.plan_run)
    claims.claim(run.pk, worker="gone/1/1.00")
    claims.mark_lost(Run.objects.get(pk=run.pk), message="Its worker is gone.")
    outcomes.run_lost(Run.objects.get(pk=run.pk), step)
    told = last("apply.ended")
    assert (told.after["result"], told.after["worker"], told.reason) == (
        "lost",
        "gone/1/1.00",
        "Its worker is gone.",
    )


def test_what_was_read_back_is_told_whether_it_is_what_was_wanted_or_not(life):
    life.request()
    life.go_on()
    agreed = last("step.read-back").after
    assert (agreed["agrees"], agreed["differences"]) == (True, [])
    assert set(agreed["versions"]) == {"blue", "green"}

    life.world.during_apply = lambda: setattr(life.world, "_become", lambda _: None)
    life.go_on()
    differed = last("step.read-back").after
    assert not differed["agrees"]
    assert differed["differences"]


def test_however_much_differs_it_fits_into_the_event(life):
    life.request()
    many = [Difference(what="x" * 10_000, expected="1", found="2")] * 1_000
    read_back(life.service, life.step(), None, many)
    told = last("step.read-back").after["differences"]
    assert (len(told), len(told[0])) == (MOST_DIFFERENCES, DIFFERENCE_CHARACTERS)


def test_what_a_worker_records_has_its_run_s_id_and_no_other_s(life):
    with acting_in(request_id="r1"):
        life.request()
    assert last("release.requested").context == {"request_id": "r1"}
    assert last("plan.made").context["run_id"] == last("plan.made").after["run"]
    life.go_on()
    assert last("apply.ended").context == {"run_id": last("apply.ended").after["run"]}
