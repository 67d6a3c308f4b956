from itertools import product

import pytest

from releases.domain.errors import IllegalChange
from releases.domain.lifecycle import (
    ALLOWED_RELEASE,
    ALLOWED_STEP,
    ENDED_STEP_STATUSES,
    OPEN_STATUSES,
    ReleaseStatus,
    StepStatus,
    check_release_change,
    check_step_change,
)

RELEASE_CHANGES = """
    open -> paused promoted rolled_back rejected cancelled
    paused -> open promoted rolled_back rejected cancelled
    promoted -> rolled_back
"""
STEP_CHANGES = """
    pending -> planning rejected skipped abandoned
    planning -> planning waiting baking done failed rejected pending skipped abandoned
    waiting -> applying planning rejected pending skipped abandoned
    applying -> baking done planning failed abandoned
    baking -> done abandoned
    failed -> planning skipped abandoned
    rejected -> planning skipped abandoned
"""


def pairs(table: str) -> set[tuple[str, str]]:
    lines = (line.split(" -> ") for line in table.strip().splitlines())
    return {(old.strip(), new) for old, news in lines for new in news.split()}


@pytest.mark.parametrize(("old", "new"), list(product(ReleaseStatus, ReleaseStatus)))
def test_every_pair_of_release_statuses(old, new):
    if (old, new) in pairs(RELEASE_CHANGES):
        check_release_change(old, new)
    else:
        with pytest.raises(IllegalChange, match=f"Someone was faster: the release is already {old.label}"):
            check_release_change(old, new)


@pytest.mark.parametrize(("old", "new"), list(product(StepStatus, StepStatus)))
def test_every_pair_of_step_statuses(old, new):
    if (old, new) in pairs(STEP_CHANGES):
        check_step_change(old, new)
    else:
        with pytest.raises(IllegalChange, match=f"Someone was faster: the step is already {old}") as refusal:
            check_step_change(old, new)
        assert refusal.value.code == "step:stale"


def test_every_status_has_its_row():
    assert set(ALLOWED_RELEASE) == set(ReleaseStatus)
    assert set(ALLOWED_STEP) == set(StepStatus)


def test_a_rollback_ends_every_step_that_has_not_ended():
    for status in set(StepStatus) - ENDED_STEP_STATUSES:
        check_step_change(status, StepStatus.ABANDONED)


def test_every_open_release_can_be_rolled_back():
    for status in OPEN_STATUSES:
        check_release_change(status, ReleaseStatus.ROLLED_BACK)
    assert ReleaseStatus.ROLLED_BACK.label == "rolled back"
