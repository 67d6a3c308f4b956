from dataclasses import replace

import pytest

from releases.domain.access.decisions import Allowed, Permission, Person, Refused
from releases.domain.acts import (
    Act,
    ServiceFacts,
    StepFacts,
    may_give_reason,
    may_rehearse,
    possible_acts,
)
from releases.domain.approval.approval_policy import GateFacts, PlanIdentity
from releases.domain.approval.gate_standing import WhoCounts
from releases.domain.lifecycle import StepStatus
from releases.domain.tests.states import state
from releases.domain.traffic import Color

EVERYTHING = Person(id="2", is_active=True, permissions=frozenset(Permission))
QUIET = ServiceFacts(
    state=state(), safe_color=Color.BLUE, release_open=False, converging=False, rules_differ=False
)
IN_RELEASE = replace(QUIET, release_open=True)
GATE_WAITS = Refused("approval:missing", "This step waits for an approval.")
WAITING = StepFacts(
    at_gate=GateFacts(who_counts=WhoCounts(requester_ids=frozenset("1"))),
    status=StepStatus.WAITING,
    gate=True,
    started=False,
    plan=PlanIdentity(sha256="a" * 64, changes_digest="b" * 64),
    approval=GATE_WAITS,
)


def allowed(person: Person, service: ServiceFacts, step: StepFacts | None) -> set[Act]:
    """Without a look at the trail, which depends on the right alone."""
    return {act for act, decision in possible_acts(person, service, step).items() if decision} - {
        Act.SEE_TRAIL
    }


def refusal(person: Person, service: ServiceFacts, step: StepFacts | None, act: Act) -> Refused:
    decision = possible_acts(person, service, step)[act]
    assert isinstance(decision, Refused)
    return decision


def test_without_a_release_one_can_be_requested():
    assert allowed(EVERYTHING, QUIET, None) == {Act.REQUEST}


def test_at_a_gate_a_step_is_decided_on_and_started_in_any_order():
    assert allowed(EVERYTHING, IN_RELEASE, WAITING) == {Act.APPROVE, Act.REJECT, Act.START, Act.ROLL_BACK}


def test_after_the_approval_the_step_can_be_started_and_not_decided_again():
    decided = replace(WAITING.at_gate, decided="Ana approved it.")
    approved = replace(WAITING, at_gate=decided, approval=Allowed())
    assert allowed(EVERYTHING, IN_RELEASE, approved) == {Act.START, Act.ROLL_BACK}


def test_a_step_without_a_gate_is_only_started():
    assert allowed(EVERYTHING, IN_RELEASE, replace(WAITING, gate=False)) == {Act.START, Act.ROLL_BACK}


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (WAITING, "waits for an approval"),
        (replace(WAITING, approval=Allowed()), "goes on by itself"),
        (replace(WAITING, gate=False), "goes on by itself"),
        (replace(WAITING, status=StepStatus.PLANNING), "plan is being made"),
    ],
)
def test_a_step_is_started_once_and_the_page_says_what_it_waits_for(step, words):
    decision = refusal(EVERYTHING, IN_RELEASE, replace(step, started=True), Act.START)
    assert decision.code == "act:started"
    assert words in decision.reason


def test_an_approval_is_taken_back_by_who_gave_it_until_its_apply_has_begun():
    approved = replace(WAITING, approved_by=frozenset({EVERYTHING.id}))
    assert Act.WITHDRAW in allowed(EVERYTHING, IN_RELEASE, approved)
    assert refusal(EVERYTHING, IN_RELEASE, replace(approved, used=True), Act.WITHDRAW).code == "approval:used"
    somebody_else = replace(EVERYTHING, id="3")
    assert refusal(somebody_else, IN_RELEASE, approved, Act.WITHDRAW).code == "approval:not-yours"


def test_the_requester_may_not_decide():
    requester = replace(EVERYTHING, id="1")
    assert refusal(requester, IN_RELEASE, WAITING, Act.APPROVE).code == "approval:own-release"


STARTABLE = {StepStatus.PENDING, StepStatus.PLANNING, StepStatus.WAITING}


@pytest.mark.parametrize("status", sorted(STARTABLE))
def test_a_step_can_be_started_before_its_plan_is_there(status):
    assert Act.START in allowed(EVERYTHING, IN_RELEASE, replace(WAITING, status=status))


@pytest.mark.parametrize("status", sorted(set(StepStatus) - STARTABLE))
def test_a_step_that_has_gone_on_is_not_started_and_the_page_says_why(status):
    decision = refusal(EVERYTHING, IN_RELEASE, replace(WAITING, status=status, gate=False), Act.START)
    assert decision.code == "act:not-startable"
    assert decision.reason.endswith(".")


@pytest.mark.parametrize(
    ("permission", "act"),
    [
        (Permission.REQUEST, Act.REQUEST),
        (Permission.OPERATE, Act.START),
        (Permission.APPROVE, Act.APPROVE),
        (Permission.APPROVE, Act.REJECT),
        (Permission.EMERGENCY, Act.ROLL_BACK),
    ],
)
def test_each_act_needs_its_own_permission(permission, act):
    person = replace(EVERYTHING, permissions=frozenset(Permission) - {permission})
    assert refusal(person, QUIET, WAITING, act).code == "person:no-permission"


def test_an_inactive_account_may_do_nothing():
    assert allowed(replace(EVERYTHING, is_active=False), IN_RELEASE, WAITING) == set()


@pytest.mark.parametrize(
    ("service", "code"),
    [
        (replace(QUIET, state=None), "act:not-set-up"),
        (IN_RELEASE, "act:release-open"),
        (replace(QUIET, converging=True), "act:converging"),
        (replace(QUIET, state=state(50)), "act:split"),
        (replace(QUIET, state=state(canary=True)), "act:split"),
    ],
)
def test_a_request_is_refused(service, code):
    assert refusal(EVERYTHING, service, None, Act.REQUEST).code == code


@pytest.mark.parametrize(
    "service",
    [
        IN_RELEASE,
        replace(QUIET, state=state(1)),
        replace(QUIET, state=state(100)),
        replace(QUIET, state=state(canary=True)),
        replace(QUIET, rules_differ=True),
        replace(QUIET, converging=True),
    ],
)
def test_the_button_works_whenever_there_is_something_to_go_back_from(service):
    assert Act.ROLL_BACK in allowed(EVERYTHING, service, None)


@pytest.mark.parametrize(
    ("service", "code"),
    [(QUIET, "act:nothing-to-roll-back"), (replace(QUIET, state=None), "act:not-set-up")],
)
def test_the_button_says_why_it_has_nothing_to_do(service, code):
    assert refusal(EVERYTHING, service, None, Act.ROLL_BACK).code == code


def test_the_next_release_waits_for_the_reason_of_the_last_rollback_once_terraform_agrees():
    due = replace(QUIET, reason_due=True)
    assert refusal(EVERYTHING, due, None, Act.REQUEST).code == "act:reason-due"
    assert refusal(EVERYTHING, replace(due, converging=True), None, Act.REQUEST).code == "act:converging"


@pytest.mark.parametrize(
    ("permission", "may"),
    [
        (Permission.EMERGENCY, True),
        (Permission.REQUEST, True),
        (Permission.APPROVE, False),
        (Permission.VIEW, False),
    ],
)
def test_who_may_press_or_wants_the_next_release_gives_the_reason(permission, may):
    assert bool(may_give_reason(replace(EVERYTHING, permissions=frozenset({permission})))) == may


@pytest.mark.parametrize(
    ("service", "code"),
    [(replace(QUIET, state=None), "act:not-set-up"), (replace(QUIET, converging=True), "act:converging")],
)
def test_the_button_is_rehearsed_whenever_it_could_be_pressed_and_nothing_follows_a_press(service, code):
    assert may_rehearse(EVERYTHING, IN_RELEASE)
    assert may_rehearse(EVERYTHING, QUIET)
    refused = may_rehearse(EVERYTHING, service)
    assert isinstance(refused, Refused)
    assert refused.code == code
    stranger = may_rehearse(
        replace(EVERYTHING, permissions=frozenset(Permission) - {Permission.EMERGENCY}), QUIET
    )
    assert not stranger
