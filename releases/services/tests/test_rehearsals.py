"""A rehearsal of the button moves nobody, and tells of each part."""

import pytest
from celery import current_app
from kombu import Connection

from audit.models import AuditEvent
from aws import functions
from aws.errors import AwsError
from releases.domain.lifecycle import StepStatus
from releases.models import Rehearsal, Step
from releases.permissions import NotAllowed
from releases.services import rehearsals
from releases.services.rehearsals import RehearsalRefused

SENT = "Each rule is sent the weights that it has, and read back"


@pytest.fixture
def split(life, monkeypatch, settings, tmp_path):
    """Half of the users are on the new version; everything answers."""
    settings.DATA_DIR = tmp_path
    life.request()
    life.go_to(50)
    monkeypatch.setattr(functions, "read_function", lambda *_: None)
    monkeypatch.setattr(rehearsals, "credentials_for_run", lambda *_: None)
    monkeypatch.setattr(rehearsals, "_read_state", lambda _: None)
    monkeypatch.setattr(rehearsals, "_ask_the_broker", lambda: None)
    life.sent = []
    set_weights = life.world.set_weights

    def noted(access, arn, weights):
        life.sent.append((arn, dict(weights)))
        set_weights(access, arn, weights)

    monkeypatch.setattr("aws.load_balancer.set_weights", noted)
    return life


def rehearse(life, user=None) -> Rehearsal:
    return rehearsals.rehearse(service_id=life.service.pk, user=user or life.operator)


def part(rehearsal: Rehearsal, what: str) -> dict:
    [found] = [one for one in rehearsal.parts if one["what"] == what]
    return found


def test_every_part_is_timed_and_nobody_is_moved(split):
    before = {arn: dict(weights) for arn, weights in split.world.weights.items()}
    rehearsal = rehearse(split)
    assert (rehearsal.problems, len(rehearsal.parts)) == (0, 10)
    assert all(one["seconds"] >= 0 for one in rehearsal.parts)
    assert split.world.weights == before
    assert split.sent == list(before.items())
    event = AuditEvent.objects.get(action="rollback.rehearsed")
    assert (event.actor_name, event.after["problems"]) == ("otto", 0)


def test_a_right_that_is_missing_is_said_and_the_other_parts_go_on(split, monkeypatch):
    def refused(*_):
        raise AwsError("aws:refused", "AWS does not allow Bluegreen to set the weights of a rule.")

    monkeypatch.setattr("aws.load_balancer.set_weights", refused)
    rehearsal = rehearse(split)
    assert rehearsal.problems == 1
    assert "does not allow" in part(rehearsal, SENT)["problem"]
    assert "does not allow" in AuditEvent.objects.get(action="rollback.rehearsed").reason


def test_a_broker_that_is_gone_and_a_state_that_is_not_there_are_said(split, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(current_app, "connection_for_write", lambda: Connection("redis://127.0.0.1:9/0"))
    found = {one["what"]: one["problem"] for one in rehearse(split).parts}
    assert found["The broker answers"]
    assert found["Terraform's state is there"] == "There is no state where Terraform keeps it."


def test_while_an_apply_goes_on_no_rule_is_sent_anything(split):
    Step.objects.filter(pk=split.step().pk).update(status=StepStatus.APPLYING)
    assert "An apply had begun" in part(rehearse(split), SENT)["problem"]
    assert split.sent == []


def test_who_may_not_press_may_not_rehearse(split):
    with pytest.raises(NotAllowed):
        rehearse(split, split.requester)
    assert not Rehearsal.objects.exists()


def test_while_a_rollback_is_being_finished_it_is_refused(split):
    split.roll_back()
    with pytest.raises(RehearsalRefused):
        rehearse(split)
