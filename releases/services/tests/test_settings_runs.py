"""Other settings of a running service: asked for, approved, applied, verified, and only then recorded."""

from dataclasses import replace

import pytest

from audit.models import AuditEvent
from aws import log_groups
from aws.listeners import ListenerRule
from releases import selectors
from releases.domain.approval.approval_policy import PlanIdentity
from releases.domain.lifecycle import StepStatus
from releases.domain.provisioning.settings import Settings, to_columns
from releases.domain.traffic import Transition
from releases.models import Service, Step
from releases.permissions import NotAllowed
from releases.services import canary_header
from releases.services.approval import approvals
from releases.services.errors import ActRefused
from releases.services.provisioning import managed, settings_runs
from releases.services.provisioning.managed import ManagingRefused
from releases.services.provisioning.settings_columns import recorded_settings
from releases.services.provisioning.settings_runs import SettingsInvalid
from releases.tests.factories import ServiceFactory
from terraform_runner.errors import RunTimedOut

HOSTS = ("shop.example.com",)


@pytest.fixture
def ask(world, service, keeper, rules):
    def ask(user=None, reason="A new host", **changes) -> Step:
        service.refresh_from_db()
        wanted = replace(recorded(service), **changes)
        step = settings_runs.request_settings(
            service_id=service.pk, user=user or keeper, wanted=wanted, reason=reason
        )
        world.work()
        step.refresh_from_db()
        return step

    return ask


def recorded(service: Service) -> Settings:
    return recorded_settings(Service.objects.get(pk=service.pk))


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


def test_what_is_asked_for_waits_for_somebody_else_s_approval(ask, service, keeper):
    step = ask(hostnames=HOSTS)
    assert (step.transition, step.status, step.gate) == (Transition.SETTINGS, StepStatus.WAITING, True)
    assert (step.requested_by, step.reason) == (keeper, "A new host")
    assert recorded(service).hostnames == ()


def test_who_asked_for_it_does_not_approve_it(ask, approve, keeper):
    with pytest.raises(ActRefused) as refused:
        approve(ask(hostnames=HOSTS), user=keeper)
    assert refused.value.code.startswith("approval:own")


def test_once_approved_it_is_applied_and_only_what_was_verified_is_recorded(ask, approve, world, service):
    before = Service.objects.get(pk=service.pk).state
    step = approve(ask(hostnames=HOSTS, tags={"team": "pay"}))
    assert step.status == StepStatus.DONE
    assert recorded(service) == replace(Settings(), hostnames=HOSTS, tags={"team": "pay"})
    assert world.applied[-1]["hostnames"] == list(HOSTS)
    service.refresh_from_db()
    assert (service.state, service.settings_begun) == (before, {})


def test_the_trail_says_what_was_asked_for_by_whom_and_why(ask, approve):
    approve(ask(hostnames=HOSTS))
    event = AuditEvent.objects.get(action="settings.requested")
    assert (event.actor_name, event.reason) == ("kim", "A new host")
    assert (event.before, event.after) == ({"hostnames": []}, {"hostnames": ["shop.example.com"]})
    ended = ["step.applying", "step.apply-started", "apply.ended", "step.read-back", "step.verified"]
    assert actions()[-5:] == ended


def test_what_aws_does_not_show_fails_the_step_and_records_nothing(ask, approve, world, service, monkeypatch):
    step = ask(hostnames=HOSTS)
    monkeypatch.setattr(world, "_become", lambda variables: None)
    assert approve(step).status == StepStatus.FAILED
    assert "hosts of the traffic rule: expected shop.example.com" in step.problem
    assert recorded(service).hostnames == ()
    assert Service.objects.get(pk=service.pk).settings_begun["hostnames"] == list(HOSTS)


def test_it_is_called_off_while_it_waits(ask, keeper, service):
    step = ask(hostnames=HOSTS)
    managed.cancel(step_id=step.pk, user=keeper)
    step.refresh_from_db()
    assert step.status == StepStatus.ABANDONED
    assert selectors.own_step(service) is None
    assert actions()[-1] == "step.cancelled"


def test_a_rejected_one_is_over_and_another_may_be_asked_for(ask, approve, manager, service):
    step = ask(hostnames=HOSTS)
    run = step.plan_run
    shown = PlanIdentity(sha256=run.plan_sha256, changes_digest=run.changes_digest)
    approvals.reject(step_id=step.pk, user=manager, shown=shown, comment="Not this host")
    assert selectors.own_step(service) is None
    assert approve(ask(hostnames=("other.example.com",))).status == StepStatus.DONE


def test_after_a_failure_the_same_changes_are_tried_again_under_their_approval(
    ask, approve, world, keeper, service
):
    step = ask(hostnames=HOSTS)
    world.apply_fails = RunTimedOut("Stopped after half an hour.")
    assert approve(step).status == StepStatus.FAILED
    world.apply_fails = None
    managed.retry(step_id=step.pk, user=keeper)
    world.work()
    step.refresh_from_db()
    assert step.status == StepStatus.DONE
    assert recorded(service).hostnames == HOSTS


def test_what_may_be_half_done_is_not_called_off(ask, approve, world, keeper):
    step = ask(hostnames=HOSTS)
    world.apply_fails = RunTimedOut("Stopped after half an hour.")
    approve(step)
    with pytest.raises(ManagingRefused, match="try again, or ask for other settings"):
        managed.cancel(step_id=step.pk, user=keeper)


def test_other_settings_take_the_place_of_those_that_failed(ask, approve, world, service):
    first = ask(hostnames=HOSTS)
    world.apply_fails = RunTimedOut("Stopped after half an hour.")
    approve(first)
    world.apply_fails = None
    second = ask(hostnames=("better.example.com",))
    first.refresh_from_db()
    assert first.status == StepStatus.ABANDONED
    assert approve(second).status == StepStatus.DONE
    assert recorded(service).hostnames == ("better.example.com",)


def test_the_old_settings_can_be_asked_for_again_after_a_failure(ask, approve, world, service):
    step = ask(hostnames=HOSTS)
    world.during_apply = lambda: world._become({**world.variables, "hostnames": list(HOSTS)})
    world.apply_fails = RunTimedOut("Stopped after half an hour.")
    approve(step)
    world.apply_fails, world.during_apply = None, lambda: None
    assert world.asked_for[0] == HOSTS
    assert approve(ask(hostnames=())).status == StepStatus.DONE
    assert (recorded(service).hostnames, world.asked_for[0]) == ((), ())


def test_an_emergency_ends_what_waits_and_the_traffic_is_where_it_was(ask, life, service):
    step = ask(hostnames=HOSTS)
    life.roll_back()
    life.world.work()
    step.refresh_from_db()
    assert step.status == StepStatus.ABANDONED
    assert recorded(service).hostnames == ()
    assert selectors.own_step(service) is None


def test_an_emergency_during_its_apply_lets_it_end_and_terraform_then_agrees_with_it(
    ask, approve, life, world, service
):
    step = ask(hostnames=HOSTS)

    def roll_back_once() -> None:
        world.during_apply = lambda: None
        life.roll_back()

    world.during_apply = roll_back_once
    approve(step)
    world.work()
    step.refresh_from_db()
    assert step.status == StepStatus.ABANDONED
    converge = Step.objects.get(transition=Transition.ROLLBACK)
    assert (converge.status, converge.problem) == (StepStatus.DONE, "")
    assert recorded(service).hostnames == HOSTS
    assert Service.objects.get(pk=service.pk).settings_begun == {}


def test_while_a_release_is_open_nothing_is_asked_for(ask, life):
    life.request()
    with pytest.raises(ManagingRefused, match="A release is open"):
        ask(hostnames=HOSTS)


def test_without_the_right_nothing_is_asked_for(ask, operator):
    with pytest.raises(NotAllowed):
        ask(operator, hostnames=HOSTS)


def test_the_same_settings_are_nothing_to_ask_for(ask):
    with pytest.raises(ManagingRefused, match="has these settings already"):
        ask()


def test_settings_that_can_not_be_had_are_refused_by_field(ask):
    with pytest.raises(SettingsInvalid) as refused:
        ask(hostnames=("${x}",), tags={"aws:x": ""})
    assert set(refused.value.by_field) == {"hostnames", "tags"}


LOGS = {f"aws_cloudwatch_log_group.{color}[0]": f"/aws/lambda/shop-{color}" for color in ("blue", "green")}


def test_logs_that_lambda_has_begun_are_taken_over(ask, approve, service, world):
    world.log_groups = dict.fromkeys(LOGS.values())
    assert approve(ask(log_retention_days=30)).status == StepStatus.DONE
    assert world.imports == [{"to": f"module.service.{place}", "id": name} for place, name in LOGS.items()]
    assert recorded(service).log_retention_days == 30


def test_only_what_is_there_is_taken_over_and_only_once(ask, approve, world):
    world.log_groups = {"/aws/lambda/shop-green": None, "/aws/lambda/shop-green-2": None}
    step = ask(log_retention_days=30)
    assert [one["id"] for one in world.imports] == ["/aws/lambda/shop-green"]
    approve(step)
    approve(ask(log_retention_days=60))
    assert world.imports == []
    approve(ask(hostnames=HOSTS))
    assert world.imports == []


@pytest.mark.parametrize(
    ("found", "said"), [({}, "no such group"), (None, "for ever"), (7, "found 7")], ids=str
)
def test_logs_that_are_not_kept_as_long_as_was_asked_for_are_said(ask, approve, monkeypatch, found, said):
    step = ask(log_retention_days=30)
    there = found if isinstance(found, dict) else dict.fromkeys(LOGS.values(), found)
    monkeypatch.setattr(log_groups, "read_retention", lambda *_: there)
    approve(step)
    assert (step.status, step.problem_code) == (StepStatus.FAILED, "verify:differs")
    assert "days that the logs in /aws/lambda/shop-blue are kept: expected 30" in step.problem
    assert said in step.problem


def test_a_priority_is_changed_to_a_free_number(ask, approve, service, world):
    assert approve(ask(priority=300)).status == StepStatus.DONE
    assert recorded(service).priority == world.asked_for[1] == 300


def test_a_number_that_another_of_its_own_rules_has_is_refused_with_what_to_choose(ask, approve):
    with pytest.raises(SettingsInvalid, match=r"have 200 now, .* at most 198 or at least 202"):
        ask(priority=201)
    assert approve(ask(priority=202)).status == StepStatus.DONE


def test_a_slot_beside_the_header_s_rule_needs_a_place_of_its_own(ask, service):
    stored = canary_header.encrypt(service.pk, "abcdefgh_12345678")
    Service.objects.filter(pk=service.pk).update(canary_header_name="X-Canary", canary_header_value=stored)
    with pytest.raises(SettingsInvalid, match=r"have 198 now, .* at most 197 or at least 204"):
        ask(canary_slots=2)


def test_what_an_apply_has_begun_may_be_what_the_rules_have(ask, service):
    begun = to_columns(replace(recorded(service), priority=300))
    Service.objects.filter(pk=service.pk).update(settings_begun=begun)
    with pytest.raises(SettingsInvalid, match="have 300 now"):
        ask(priority=301)


def test_a_taken_priority_is_refused_with_who_has_it(ask, rules):
    rules.append(ListenerRule(arn="arn:other", priority=299, asks_for="host-header a.b", takes_all=False))
    with pytest.raises(SettingsInvalid) as refused:
        ask(priority=300)
    assert "299 is a rule that asks for host-header a.b" in refused.value.by_field["priority"]


def test_a_priority_that_another_service_will_have_is_taken(ask):
    ServiceFactory.create(name="cart", listener_arn="arn:listener", priority=300, set_up_at=None)
    with pytest.raises(SettingsInvalid) as refused:
        ask(priority=299)
    assert "299 is a rule of cart" in refused.value.by_field["priority"]


def test_a_priority_that_another_service_has_asked_for_is_taken(ask):
    other = ServiceFactory.create(name="cart", listener_arn="arn:listener", priority=500)
    Step.objects.create(
        service=other,
        transition="settings",
        candidate_share=0,
        settings_after={"priority": 300, "canary_slots": 1},
    )
    with pytest.raises(SettingsInvalid) as refused:
        ask(priority=300)
    assert "300 is a rule of cart" in refused.value.by_field["priority"]


def test_a_removed_service_holds_no_priority(ask, service):
    ServiceFactory.create(
        name="cart", listener_arn="arn:listener", priority=300, removed_at=service.created_at
    )
    assert ask(priority=300).status == StepStatus.WAITING


def test_a_service_may_not_begin_to_take_the_requests_of_rules_after_it(ask, approve, rules):
    approve(ask(hostnames=("shop.example.com",)))
    rules.append(ListenerRule(arn="arn:other", priority=300, asks_for="host-header a.b", takes_all=False))
    with pytest.raises(SettingsInvalid) as refused:
        ask(hostnames=())
    assert "300 is a rule that asks for host-header a.b" in refused.value.by_field["priority"]
    assert ask(hostnames=("other.example.com",)).status == StepStatus.WAITING


def test_a_service_with_a_header_has_room_for_three_hosts_and_paths(ask, service):
    values = {"hostnames": ("a.example.com", "b.example.com"), "paths": ("/a", "/b")}
    stored = canary_header.encrypt(service.pk, "abcdefgh_12345678")
    Service.objects.filter(pk=service.pk).update(canary_header_name="X-Canary", canary_header_value=stored)
    with pytest.raises(SettingsInvalid) as refused:
        ask(**values)
    assert "together may be 3" in refused.value.by_field["paths"]
