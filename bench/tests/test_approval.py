import threading

import pytest

from bench.approval import READER, SHARES, GatedShifts
from bench.demo import PATIENCE_SECONDS
from bench.errors import CannotMeasure
from bench.pairs import PAIRS
from releases.domain.lifecycle import StepStatus
from releases.models import Approval, Step


@pytest.fixture
def release(demo, worker, balancer) -> GatedShifts:
    worker.bakes = False
    worker.balancer = balancer
    made = GatedShifts(demo)
    made.begin()
    return made


def test_each_shift_is_approved_when_its_plan_is_there(release):
    assert release.shift() > 0

    approval = Approval.objects.get()
    assert (approval.step.candidate_share, approval.step.status) == (SHARES[0], StepStatus.DONE)


def test_the_next_plan_is_there_before_anything_else_is_measured(release):
    release.shift()

    assert Step.objects.get(candidate_share=SHARES[1]).status == StepStatus.WAITING


def test_there_is_a_gated_shift_for_each_pair(release):
    for _ in range(PAIRS):
        release.shift()

    assert Approval.objects.count() == PAIRS
    assert release._weights() == {"green": SHARES[PAIRS - 1]}


def test_the_plain_way_is_watched_as_a_shift_is(release, monkeypatch):
    read = threading.Event()
    monkeypatch.setattr(release, "_weights", read.set)

    assert release.beside(lambda: 2.5 if read.wait(PATIENCE_SECONDS) else 0) == 2.5
    assert [one for one in threading.enumerate() if one.name == READER] == []


def test_apply_that_fails_gives_no_figure(release, worker):
    worker.problem = "the provider hangs"

    with pytest.raises(CannotMeasure, match="the provider hangs"):
        release.shift()
