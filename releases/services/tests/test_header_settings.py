"""The header of a running service's canary: set and changed by a settings run, and its value told to nobody."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from audit.models import AuditEvent
from aws.listeners import ListenerRule
from releases.domain.canary import CanaryHeader, header_of
from releases.domain.lifecycle import StepStatus
from releases.domain.plans.expectation import HEADER_RULE
from releases.domain.traffic import NOBODY, Transition
from releases.models import Service, Step
from releases.services import canary_header
from releases.services.execution import expectations
from releases.services.provisioning import settings_runs
from releases.services.provisioning.settings_columns import recorded_settings
from releases.services.provisioning.settings_runs import SettingsInvalid
from terraform_runner.encryption import make_key, parse_keys
from terraform_runner.errors import RunTimedOut, TerraformKilled

FIRST, SECOND = "first_secret_1234", "second/secret=+12~.x"


@pytest.fixture
def ask(world, service, keeper, rules):
    def ask(value: str = "", **changes: Any) -> Step:
        wanted = replace(recorded_settings(Service.objects.get(pk=service.pk)), **changes)
        step = settings_runs.request_settings(
            service_id=service.pk, user=keeper, wanted=wanted, reason="Behind a CDN now", header_value=value
        )
        world.work()
        step.refresh_from_db()
        return step

    return ask


@pytest.fixture
def with_header(ask, approve, service) -> Service:
    """The service once it has a header."""
    step = approve(ask(FIRST, canary_header_name="X-Canary"))
    assert (step.status, step.problem) == (StepStatus.DONE, "")
    service.refresh_from_db()
    return service


def header(service: Service) -> CanaryHeader | None:
    recorded = recorded_settings(Service.objects.get(pk=service.pk))
    return header_of(recorded, canary_header.reveal(service.pk, recorded))


def test_a_first_header_is_recorded_when_its_rule_was_read_back(with_header, world):
    assert header(with_header) == CanaryHeader(name="X-Canary", value=FIRST)
    assert with_header.more_canary_rule_arns[HEADER_RULE] == "arn:rule/header"
    assert world.sources["arn:rule/header"] == {NOBODY}


def test_an_apply_that_died_when_it_had_made_the_rule_is_finished(ask, approve, service, world):
    def die(point: str, _: object) -> None:
        if point == "applied":
            world.at = lambda *_: None
            raise TerraformKilled("It was killed.", exit_code=-9)

    step = ask(FIRST, canary_header_name="X-Canary")
    world.at = die
    step = approve(step)
    if step.status == StepStatus.WAITING:
        step = approve(step)
    assert (step.status, step.problem) == (StepStatus.DONE, "")
    service.refresh_from_db()
    assert service.more_canary_rule_arns[HEADER_RULE] == "arn:rule/header"


def test_a_release_sends_by_it_from_then_on(with_header, life):
    life.request()
    while not life.now().activate_canary:
        life.go_on()
    assert life.world.sources["arn:rule/header"] == set()


def test_its_rule_needs_a_free_number(ask, rules):
    rules.append(ListenerRule(arn="arn:other", priority=198, asks_for="host-header a.b", takes_all=False))
    with pytest.raises(SettingsInvalid) as refused:
        ask(FIRST, canary_header_name="X-Canary")
    assert "198 is a rule that asks for host-header a.b" in refused.value.by_field["priority"]


@pytest.mark.parametrize("value", [SECOND, ""])
def test_name_and_value_are_changed_in_place(with_header, ask, approve, world, value):
    step = approve(ask(value, canary_header_name="X-Tester"))
    assert (step.status, step.problem) == (StepStatus.DONE, "")
    assert header(with_header) == CanaryHeader(name="X-Tester", value=value or FIRST)
    assert world.header == {"name": "X-Tester", "value": value or FIRST}


def test_the_value_alone_is_changed(with_header, ask, approve):
    assert approve(ask(SECOND)).status == StepStatus.DONE
    assert header(with_header) == CanaryHeader(name="X-Canary", value=SECOND)


def test_another_setting_leaves_it_as_it_is(with_header, ask, approve):
    before = with_header.canary_header_value
    assert approve(ask(hostnames=("shop.example.com",))).status == StepStatus.DONE
    with_header.refresh_from_db()
    assert with_header.canary_header_value == before


def test_it_is_not_taken_away(with_header, ask):
    with pytest.raises(SettingsInvalid) as refused:
        ask(canary_header_name="")
    assert "no rule is ever deleted" in refused.value.by_field["canary_header_name"]


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [("X-Canary", "short", "canary_header_value"), ("X-Canary", "", "canary_header_value"),
     ("Host", FIRST, "canary_header_name"), ("", FIRST, "canary_header_name")],
)  # fmt: skip
def test_what_no_header_can_be_is_refused_at_its_field(ask, name, value, field):
    with pytest.raises(SettingsInvalid) as refused:
        ask(value, canary_header_name=name)
    assert list(refused.value.by_field) == [field]
    assert not Step.objects.filter(transition=Transition.SETTINGS).exists()


def noting(given: list[Any], do: Callable[..., Any]) -> Callable[..., Any]:
    """The same, with the workspaces noted that it is given."""

    def do_and_note(*, workspace: Any, **others: Any) -> Any:
        given.append(workspace)
        return do(workspace=workspace, **others)

    return do_and_note


def test_while_it_changes_both_values_are_masked_and_nothing_stored_tells_either(
    with_header, ask, approve, world, monkeypatch
):
    given: list[Any] = []
    for name in ("plan", "apply"):
        monkeypatch.setattr(f"terraform_runner.executor.{name}", noting(given, getattr(world, name)))
    step = approve(ask(SECOND))
    assert len(given) == 2
    assert all({FIRST, SECOND} <= set(workspace.secrets) for workspace in given)
    stored = str(
        [
            *AuditEvent.objects.values_list("before", "after", "reason"),
            *Step.objects.values_list("settings_before", "settings_after", "problem"),
            *Service.objects.values_list("canary_header_value", "settings_begun"),
        ]
    )
    assert FIRST not in stored
    assert SECOND not in stored
    event = AuditEvent.objects.filter(action="settings.requested").latest("pk")
    assert (event.before, event.after) == (
        {"canary_header_value": "(secret)"},
        {"canary_header_value": "(secret)"},
    )
    assert step.settings_after["canary_header_value"] not in str([event.before, event.after])


def test_the_guard_knows_both_in_the_clear(with_header, ask):
    expected = expectations.of_step(with_header, ask(SECOND), None)
    assert expected.canary_header == CanaryHeader(name="X-Canary", value=SECOND)
    assert set(expected.revealed.values()) == {FIRST, SECOND}
    assert FIRST not in repr(expected)
    assert SECOND not in repr(expected)


def test_what_a_failed_apply_began_is_masked_and_guarded_too(with_header, ask, approve, world):
    world.apply_fails = RunTimedOut("Stopped after half an hour.")
    assert approve(ask(SECOND)).status == StepStatus.FAILED
    world.apply_fails = None
    with_header.refresh_from_db()
    assert SECOND not in str(with_header.settings_begun)
    third = ask("third_secret_1234")
    expected = expectations.of_step(with_header, third, None)
    assert set(expected.revealed.values()) == {FIRST, SECOND, "third_secret_1234"}
    assert approve(third).status == StepStatus.DONE
    assert header(with_header) == CanaryHeader(name="X-Canary", value="third_secret_1234")


def test_the_old_value_typed_again_after_a_failure_brings_it_back(with_header, ask, approve, world):
    before, begun = with_header.canary_header_value, {"name": "X-Canary", "value": SECOND}
    world.during_apply = lambda: world._become({**world.variables, "canary_header": begun})
    world.apply_fails = RunTimedOut("Stopped after half an hour.")
    approve(ask(SECOND))
    world.apply_fails, world.during_apply = None, lambda: None
    assert world.header == begun
    assert approve(ask(FIRST)).status == StepStatus.DONE
    with_header.refresh_from_db()
    assert (with_header.canary_header_value, with_header.settings_begun) == (before, {})


def test_a_value_that_aws_does_not_show_fails_the_step_and_is_not_told(
    with_header, ask, approve, world, monkeypatch
):
    step = ask(SECOND)
    monkeypatch.setattr(world, "_become", lambda variables: None)
    assert approve(step).status == StepStatus.FAILED
    assert "value of the header of the header rule: expected the service's own, found another" in step.problem
    assert FIRST not in step.problem
    assert SECOND not in step.problem


def test_an_emergency_during_its_apply_finishes_it(with_header, ask, approve, life, world):
    step = ask(SECOND)

    def roll_back_once() -> None:
        world.during_apply = lambda: None
        life.roll_back()

    world.during_apply = roll_back_once
    approve(step)
    world.work()
    converge = Step.objects.get(transition=Transition.ROLLBACK)
    assert (converge.status, converge.problem) == (StepStatus.DONE, "")
    assert header(with_header) == CanaryHeader(name="X-Canary", value=SECOND)


def test_without_the_key_it_is_said_that_nothing_can_be_asked_for(with_header, ask, settings):
    settings.KEY_RING = parse_keys(make_key("other"))
    with pytest.raises(SettingsInvalid) as refused:
        ask(SECOND)
    assert "key" in refused.value.by_field["canary_header_value"]
