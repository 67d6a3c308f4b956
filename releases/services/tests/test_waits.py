"""A gate that waits for too long: what the policy says comes of it, once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.models import EmergencyRollback, Step
from releases.services import release_acts
from releases.services.execution import recovery


@pytest.fixture
def at_the_gate(life):
    """A release at its canary, where nobody was sent to the new version yet."""
    life.release = life.request()
    life.go_on()
    return life


def wait(life, set_policy, then: str) -> None:
    """The wait of the present gate is over, and the sweep comes by, twice."""
    set_policy(wait_seconds=3600, after_wait=then)
    long_ago = timezone.now() - timedelta(hours=2)
    Step.objects.filter(pk=life.step().pk).update(asked_at=long_ago, look_again_at=long_ago)
    recovery.sweep()
    recovery.sweep()
    life.world.work()
    life.release.refresh_from_db()


def ends() -> int:
    return AuditEvent.objects.filter(action="gate.waited-too-long").count()


def test_since_when_a_gate_waits_and_until_when_is_known(at_the_gate, set_policy):
    set_policy(wait_seconds=3600)
    recovery.sweep()
    at_the_gate.start()
    step = at_the_gate.step()
    assert step.asked_at is not None
    assert step.look_again_at == step.asked_at + timedelta(hours=1)


def test_held_it_is_paused_and_asks_anew_when_it_is_resumed(at_the_gate, set_policy):
    wait(at_the_gate, set_policy, "hold")
    assert at_the_gate.release.status == ReleaseStatus.PAUSED
    assert ends() == 1
    release_acts.resume(release_id=at_the_gate.release.pk, user=at_the_gate.operator)
    recovery.sweep()
    at_the_gate.release.refresh_from_db()
    assert at_the_gate.release.status == ReleaseStatus.OPEN
    asked_at = at_the_gate.step().asked_at
    assert asked_at is not None
    assert timezone.now() - asked_at < timedelta(hours=1)


@pytest.mark.parametrize("then", ["cancel", "roll_back"])
def test_a_release_that_nobody_was_sent_to_ends(at_the_gate, set_policy, then):
    wait(at_the_gate, set_policy, then)
    assert at_the_gate.release.status == ReleaseStatus.CANCELLED
    assert AuditEvent.objects.get(action="release.cancelled").actor_name == "Bluegreen"
    assert ends() == 1
    assert not EmergencyRollback.objects.exists()


def test_one_with_users_on_the_new_version_is_not_cancelled_but_held(at_the_gate, set_policy):
    at_the_gate.go_to(50)
    wait(at_the_gate, set_policy, "cancel")
    assert at_the_gate.release.status == ReleaseStatus.PAUSED
    assert at_the_gate.now().candidate_share == 50


def test_one_with_users_on_the_new_version_is_rolled_back_once(at_the_gate, set_policy):
    at_the_gate.go_to(50)
    wait(at_the_gate, set_policy, "roll_back")
    assert at_the_gate.release.status == ReleaseStatus.ROLLED_BACK
    assert at_the_gate.now().candidate_share == 0
    assert (ends(), EmergencyRollback.objects.count()) == (1, 1)
    assert not AuditEvent.objects.filter(action="rollback.joined").exists()


def test_a_gate_that_is_open_or_has_time_left_is_left_alone(at_the_gate, set_policy):
    set_policy(wait_seconds=3600, after_wait="cancel")
    Step.objects.filter(pk=at_the_gate.step().pk).update(look_again_at=timezone.now())
    recovery.sweep()
    assert at_the_gate.step().status == StepStatus.WAITING
    assert ends() == 0
