import pytest

from bench.errors import CannotMeasure
from bench.pairs import PAIRS
from bench.transition import SHARES, Shifts
from releases.domain.lifecycle import StepStatus
from releases.models import Approval, Step


@pytest.fixture
def shifts(demo, worker) -> Shifts:
    worker.bakes = False
    made = Shifts(demo)
    made.begin()
    return made


def statuses() -> dict[int, str]:
    return {step.candidate_share: step.status for step in Step.objects.order_by("position")}


def test_release_begins_at_the_first_share_with_the_next_plan_made(shifts):
    assert statuses()[SHARES[0]] == StepStatus.DONE
    assert statuses()[100] == StepStatus.WAITING


def test_each_shift_goes_down_without_an_approval(shifts):
    assert shifts.shift() > 0

    assert statuses()[SHARES[1]] == StepStatus.DONE
    assert Approval.objects.get().step.candidate_share == SHARES[0]


def test_there_is_a_shift_for_each_pair(shifts):
    for _ in range(PAIRS):
        shifts.shift()

    assert statuses()[SHARES[-1]] == StepStatus.DONE
    assert SHARES[-1] == 10


def test_step_that_fails_gives_no_figure(shifts, worker):
    worker.problem = "somebody changed the rule"

    with pytest.raises(CannotMeasure, match="shift 50 % is failed: somebody changed the rule"):
        shifts.shift()


def test_release_without_a_step_to_start_gives_no_figure(demo, worker):
    with pytest.raises(CannotMeasure, match="no step that could be started"):
        Shifts(demo)._steps.start()
