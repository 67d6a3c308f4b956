"""A freeze that begins while a release waits, is applied, or is rolled back (FAULTS P13)."""

import pytest

from audit.models import AuditEvent
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.services import shares
from terraform_runner import executor

FROZEN = ["Mon 00:00 - Mon 00:00 UTC: Migration"]


@pytest.fixture
def approved(life):
    """A release whose canary is approved, and waits for its start."""
    life.release = life.request()
    life.go_on()
    life.approve()
    return life


def test_the_next_step_waits_and_goes_on_by_itself_when_the_freeze_is_over(approved, set_policy):
    set_policy(freezes=FROZEN)
    approved.start()
    assert approved.step().status == StepStatus.WAITING
    assert not approved.now().activate_canary
    set_policy()
    approved.world.work()  # the sweep sees that it may go on
    approved.world.work()
    assert approved.now().activate_canary


def test_outside_of_the_allowed_hours_nothing_begins(approved, set_policy):
    set_policy(allowed_hours=["2020-01-01 00:00 - 2020-01-02 00:00 UTC"])
    approved.start()
    assert approved.step().status == StepStatus.WAITING


def test_one_that_begins_right_before_the_apply_stops_it(approved, set_policy):
    def freezes(*_):
        set_policy(freezes=FROZEN)
        return ()

    approved.world.differences = freezes
    applied = len(approved.world.applied)
    approved.start()
    assert len(approved.world.applied) == applied
    assert approved.step().status == StepStatus.WAITING
    assert "Migration" in AuditEvent.objects.filter(action="step.planned-again").latest("id").reason


def test_what_has_begun_finishes(approved, set_policy, monkeypatch):
    apply = approved.world.apply

    def freezes_meanwhile(**given):
        result = apply(**given)
        set_policy(freezes=FROZEN)
        return result

    monkeypatch.setattr(executor, "apply", freezes_meanwhile)
    approved.start()
    assert approved.now().activate_canary
    assert approved.release.steps.get(transition="canary").status == StepStatus.DONE


def test_a_rollback_goes_always_to_its_end(approved, set_policy):
    approved.start()
    approved.go_to(50)
    set_policy(freezes=FROZEN)
    approved.roll_back()
    approved.world.work()
    approved.release.refresh_from_db()
    assert approved.release.status == ReleaseStatus.ROLLED_BACK
    assert approved.now().candidate_share == 0
    assert not approved.service.steps.filter(status=StepStatus.WAITING).exists()


def test_taking_users_off_the_new_version_goes_always_too(approved, set_policy):
    approved.start()
    approved.go_to(50)
    set_policy(freezes=FROZEN)
    shares.set_share(release_id=approved.release.pk, share=20, user=approved.operator)
    approved.world.work()
    assert approved.now().candidate_share == 20
