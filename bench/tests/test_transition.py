import pytest

from bench.errors import CannotMeasure
from bench.pairs import PAIRS
from bench.transition import SHARES, Shifts
from releases.domain.lifecycle import StepStatus
from releases.models import Approval, Step


@pytest.fixture
def shifts(demo, worker) -> Shifts:
    made = Shifts(demo)
    made.begin()
    return made


def statuses() -> list[tuple[int, str]]:
    return [(step.candidate_share, step.status) for step in Step.objects.order_by("position")]


def test_release_begins_at_the_first_share_and_bakes_there_for_good(shifts):
    assert statuses()[:3] == [(0, StepStatus.DONE), (10, StepStatus.BAKING), (20, StepStatus.PENDING)]


def test_only_the_first_share_was_approved(shifts):
    shifts.shift()

    assert Approval.objects.get().step.candidate_share == SHARES[0]


def test_each_shift_ends_the_bake_before_it_and_no_other(shifts):
    assert shifts.shift() > 0

    assert statuses()[1:4] == [(10, StepStatus.DONE), (20, StepStatus.BAKING), (30, StepStatus.PENDING)]


def test_there_is_a_shift_for_each_pair(shifts):
    for _ in range(PAIRS):
        shifts.shift()

    assert dict(statuses())[SHARES[-1]] == StepStatus.BAKING


def test_step_that_fails_gives_no_figure(shifts, worker):
    worker.problem = "somebody changed the rule"

    with pytest.raises(CannotMeasure, match="shift 20 % is failed: somebody changed the rule"):
        shifts.shift()


def test_release_without_a_step_to_start_gives_no_figure(demo, worker):
    with pytest.raises(CannotMeasure, match="no step that could be started"):
        Shifts(demo).shift()
