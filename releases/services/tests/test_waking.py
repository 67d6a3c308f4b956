"""Before anybody is sent to a function it is awake and able to serve, or nobody is sent there."""

from dataclasses import replace

import pytest

from aws import functions
from releases.domain.lifecycle import StepStatus
from releases.domain.traffic import Color
from releases.services.execution import waking


@pytest.fixture
def woken(monkeypatch, life):
    """The functions that were woken; each answers from then on."""
    names: list[str] = []

    def wake(access, name):
        names.append(name)
        life.world.functions[Color.GREEN].state = "Active"

    monkeypatch.setattr(functions, "wake", wake)
    return names


@pytest.fixture
def at_the_first_shift(life):
    life.request(canary=False)
    life.go_on()
    return life


def test_a_function_that_sleeps_is_woken_before_the_users_come(at_the_first_shift, woken):
    life = at_the_first_shift
    life.world.functions[Color.GREEN].state = "Inactive"
    life.go_on()
    assert woken == ["shop-green"]
    assert life.now().candidate_share == 10


def test_one_that_is_waking_is_only_waited_for(at_the_first_shift, woken, monkeypatch):
    life = at_the_first_shift
    life.world.functions[Color.GREEN].state = "Pending"
    monkeypatch.setattr(waking, "PAUSE_SECONDS", 0.01)
    reads = iter(range(100))

    def read(service):
        if next(reads) == 3:
            life.world.functions[Color.GREEN].state = "Active"
        return life.world.read_reality(service)

    monkeypatch.setattr(waking, "read_reality", read)
    life.go_on()
    assert woken == []
    assert life.now().candidate_share == 10


def test_nobody_is_sent_to_one_that_does_not_wake(at_the_first_shift, woken, monkeypatch):
    life = at_the_first_shift
    monkeypatch.setattr(waking, "PATIENCE_SECONDS", 0)
    life.world.functions[Color.GREEN].state = "Pending"
    life.go_on()
    step = life.step()
    assert (step.status, step.problem_code) == (StepStatus.FAILED, "step:not-ready")
    assert "state of the version that green serves: expected Active, found Pending" in step.problem
    assert life.world.green_weight() == 0


def test_a_missing_permission_is_found_before_the_users_come(at_the_first_shift, monkeypatch):
    life = at_the_first_shift

    def read(service):
        real = life.world.read_reality(service)
        return replace(real, green=replace(real.green, callers=frozenset()))

    monkeypatch.setattr(waking, "read_reality", read)
    life.go_on()
    assert "permission of the load balancer to call green" in life.step().problem
    assert life.world.green_weight() == 0
