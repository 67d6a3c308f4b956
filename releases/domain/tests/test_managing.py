"""Every pair of what goes on at a service and what its manager wants, legal and illegal."""

from dataclasses import replace
from itertools import product

import pytest

from releases.domain.access.decisions import Permission, Person, Refused
from releases.domain.lifecycle import StepStatus
from releases.domain.provisioning.managing import (
    MANAGED,
    ManagedFacts,
    OwnStep,
    may_cancel,
    may_change_defaults,
    may_change_settings,
    may_remove,
    may_retry,
    right_for,
)
from releases.domain.traffic import ROTATIONS, Transition

MANAGER = Person(id="1", is_active=True, permissions=frozenset({Permission.MANAGE}))
OPERATOR = replace(MANAGER, permissions=frozenset({Permission.OPERATE}))
REST = ManagedFacts(is_set_up=True, is_removed=False, release_open=False, at_rest=True, step=None)
ACTS = (may_change_defaults, may_change_settings, may_remove, may_cancel, may_retry)
UNFINISHED = (
    StepStatus.PENDING,
    StepStatus.PLANNING,
    StepStatus.WAITING,
    StepStatus.APPLYING,
    StepStatus.FAILED,
    StepStatus.REJECTED,
)


def at(transition: Transition, status: StepStatus, *, has_begun: bool = False) -> ManagedFacts:
    step = OwnStep(transition=transition, status=status, has_begun=has_begun)
    return replace(REST, step=step, is_set_up=transition is not Transition.SET_UP)


def allowed(facts: ManagedFacts) -> set[str]:
    return {act.__name__.removeprefix("may_") for act in ACTS if act(MANAGER, facts)}


def test_at_rest_settings_and_removal_may_be_asked_for():
    assert allowed(REST) == {"change_defaults", "change_settings", "remove"}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("permission", [one for one in Permission if one is not Permission.MANAGE])
def test_no_other_right_is_enough(act, permission):
    answer = act(replace(MANAGER, permissions=frozenset({permission})), REST)
    assert isinstance(answer, Refused)
    assert answer.reason == "You may not change this service's settings, or remove it."


@pytest.mark.parametrize("act", ACTS)
def test_an_account_that_was_switched_off_may_nothing(act):
    answer = act(replace(MANAGER, is_active=False), REST)
    assert isinstance(answer, Refused)
    assert answer.code == "person:inactive"


def test_a_removed_service_is_never_touched_again():
    assert allowed(replace(REST, is_removed=True)) == set()
    answer = may_remove(MANAGER, replace(REST, is_removed=True))
    assert isinstance(answer, Refused)
    assert answer.reason.startswith("This service was removed")


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (replace(REST, release_open=True), "managed:release-open"),
        (replace(REST, at_rest=False), "managed:split"),
        (replace(REST, is_set_up=False), "managed:not-set-up"),
    ],
)
@pytest.mark.parametrize("act", [may_change_settings, may_remove])
def test_only_a_service_at_rest_is_changed_or_removed(act, facts, code):
    assert act(MANAGER, facts).code == code
    assert may_change_defaults(MANAGER, facts)


IN_WORDS = {
    Transition.SET_UP: "The set-up is going on",
    Transition.SETTINGS: "A change of the settings is going on",
    Transition.REMOVE: "The removal is going on",
    Transition.ROLLBACK: "A rollback is being finished",
}


@pytest.mark.parametrize(("transition", "status"), list(product(IN_WORDS, UNFINISHED[:4])))
def test_while_something_goes_on_nothing_else_is_begun(transition, status):
    facts = replace(at(transition, status), is_set_up=True)
    for act in (may_change_settings, may_remove):
        answer = act(MANAGER, facts)
        assert isinstance(answer, Refused)
        assert answer.code == "managed:going-on"
        assert answer.reason.startswith(IN_WORDS[transition])


@pytest.mark.parametrize(("transition", "status"), list(product(sorted(MANAGED), UNFINISHED)))
@pytest.mark.parametrize("has_begun", [False, True])
def test_what_was_asked_for_is_called_off_only_while_nothing_of_it_was_done(transition, status, has_begun):
    answer = may_cancel(MANAGER, at(transition, status, has_begun=has_begun))
    if status is StepStatus.APPLYING:
        assert isinstance(answer, Refused)
        assert answer.code == "managed:applying"
    else:
        assert bool(answer) is not has_begun
        assert answer or answer.code == "managed:half-done"


@pytest.mark.parametrize(("transition", "status"), list(product(sorted(MANAGED), UNFINISHED)))
def test_only_what_failed_or_was_rejected_is_tried_again(transition, status):
    answer = may_retry(MANAGER, at(transition, status))
    assert bool(answer) is (status in {StepStatus.FAILED, StepStatus.REJECTED})
    assert answer or answer.reason == f"It has not failed: it is {status.label}."


@pytest.mark.parametrize("act", [may_cancel, may_retry])
@pytest.mark.parametrize("facts", [REST, at(Transition.ROLLBACK, StepStatus.FAILED)])
def test_a_rollback_s_end_is_nobody_s_to_call_off(act, facts):
    assert act(MANAGER, facts).code == "managed:no-step"


PREPARING = {
    StepStatus.PENDING: {"cancel"},
    StepStatus.PLANNING: {"cancel"},
    StepStatus.WAITING: {"cancel"},
    StepStatus.APPLYING: set(),
    StepStatus.FAILED: {"cancel", "retry"},
}


@pytest.mark.parametrize(("part", "status"), list(product(sorted(ROTATIONS), PREPARING)))
@pytest.mark.parametrize("has_begun", [False, True])
def test_who_operates_calls_a_preparation_off_while_nothing_of_its_part_was_done_and_tries_it_again(
    part, status, has_begun
):
    facts = at(part, status, has_begun=has_begun)
    may = {act.__name__.removeprefix("may_") for act in ACTS if act(OPERATOR, facts)}
    assert may == PREPARING[status] - ({"cancel"} if has_begun else set())


@pytest.mark.parametrize("part", sorted(ROTATIONS))
def test_a_preparation_is_changed_with_the_right_that_it_was_asked_for_with(part):
    assert right_for(part) is Permission.OPERATE
    for act in (may_cancel, may_retry):
        answer = act(MANAGER, at(part, StepStatus.FAILED))
        assert isinstance(answer, Refused)
        assert answer.reason.startswith("You may not run steps")


def test_a_preparation_that_failed_half_way_says_that_the_button_ends_it():
    answer = may_cancel(OPERATOR, at(Transition.ROTATE_STABLE, StepStatus.FAILED, has_begun=True))
    assert isinstance(answer, Refused)
    assert answer.reason == "A part of it may be done: try again, or roll back."


def test_a_preparation_that_failed_gives_way_to_the_removal():
    assert may_remove(MANAGER, at(Transition.ROTATE_STABLE, StepStatus.FAILED))
    assert not may_change_settings(MANAGER, at(Transition.ROTATE_STABLE, StepStatus.FAILED))


def test_settings_that_failed_give_way_to_others_and_to_the_removal():
    assert allowed(at(Transition.SETTINGS, StepStatus.FAILED, has_begun=True)) == {
        "change_defaults",
        "change_settings",
        "remove",
        "retry",
    }


def test_a_set_up_that_failed_gives_way_to_the_removal_of_what_is_there():
    assert allowed(at(Transition.SET_UP, StepStatus.FAILED, has_begun=True)) == {
        "change_defaults",
        "remove",
        "retry",
    }


def test_after_a_rollback_that_terraform_did_not_agree_with_the_service_can_be_removed():
    assert may_remove(MANAGER, at(Transition.ROLLBACK, StepStatus.FAILED))
    assert not may_change_settings(MANAGER, at(Transition.ROLLBACK, StepStatus.FAILED))
