from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.domain.any_weight import SKIPPABLE, PlacedStep, lowers, parse_share, set_share
from releases.domain.errors import InvalidTraffic
from releases.domain.lifecycle import ALLOWED_STEP, ENDED_STEP_STATUSES, StepStatus
from releases.domain.tests.states import state
from releases.domain.traffic import Transition

STATUSES = {
    "p": StepStatus.PENDING,
    "l": StepStatus.PLANNING,
    "w": StepStatus.WAITING,
    "b": StepStatus.BAKING,
    "d": StepStatus.DONE,
    "f": StepStatus.FAILED,
    "r": StepStatus.REJECTED,
    "s": StepStatus.SKIPPED,
}
SHARES = {"canary": 0, "10": 10, "25": 25, "50": 50, "promote": 100}


def plan(letters: str) -> list[PlacedStep]:
    """Canary, 10, 25, 50 and the promotion in these statuses."""
    return [
        PlacedStep(
            transition=Transition(name) if name.isalpha() else Transition.SHIFT,
            candidate_share=share,
            status=STATUSES[letter],
        )
        for (name, share), letter in zip(SHARES.items(), letters, strict=True)
    ]


def changed(letters: str, share: int, *, present: int) -> tuple[str, int, bool]:
    result = set_share(plan(letters), share, present=present)
    of = {status: letter for letter, status in STATUSES.items()}
    if result.asks_again is not None:
        assert result.asks_again == result.following
    return "".join(of[status] for status in result.statuses), result.following, result.asks_again is not None


def adding(letters: str, share: int, *, present: int) -> tuple[str, int, int | None]:
    """The same while the canary is on, so that the first step adds an address to it."""
    result = set_share(plan(letters), share, present=present, canary_on=True)
    of = {status: letter for letter, status in STATUSES.items()}
    assert result.additions == ({0} if result.statuses[0] not in ENDED_STEP_STATUSES else set())
    return "".join(of[status] for status in result.statuses), result.following, result.asks_again


@pytest.mark.parametrize("share", range(101))
def test_a_share_is_read_from_its_text(share):
    assert parse_share(str(share)) == share


@pytest.mark.parametrize(
    "text",
    ["-1", "101", "10.5", "٣", "1e2", "", " ", "10; DROP", "9" * 10**6, "1_0", "05", "+5", "10 %", "00"],
)
def test_what_is_no_share_is_refused_with_the_range(text):
    with pytest.raises(InvalidTraffic, match="from 0 to 100") as refusal:
        parse_share(text)
    assert len(refusal.value.message) < 100


def test_a_higher_share_leaves_out_what_lies_below_and_plans_the_next_step_again():
    assert changed("dwppp", 20, present=0) == ("dsppp", 2, False)
    assert changed("ddwpp", 20, present=10) == ("ddppp", 2, False)
    assert changed("ddlpp", 25, present=10) == ("ddspp", 3, False)


def test_a_share_ends_the_bake_time_that_runs():
    assert changed("dbwpp", 40, present=10) == ("ddspp", 3, False)


def test_a_lower_share_keeps_the_plan_and_asks_before_it_goes_up_again():
    assert changed("ddbwp", 5, present=25) == ("dddpp", 3, True)
    assert changed("ddddw", 0, present=50) == ("ddddp", 4, True)


def test_a_share_before_the_canary_leaves_the_canary_out():
    assert changed("wpppp", 10, present=0) == ("ssppp", 2, False)


def test_what_failed_or_was_rejected_stays_so_unless_the_share_goes_beyond_it():
    assert changed("ddfpp", 5, present=10) == ("ddfpp", 2, True)
    assert changed("ddrpp", 30, present=10) == ("ddspp", 3, False)


def test_everyone_is_the_promotion_which_comes_next_then():
    assert changed("dbwpp", 100, present=10) == ("ddssp", 4, False)
    assert changed("ddfpp", 100, present=10) == ("ddssp", 4, False)


def test_an_address_that_is_being_added_goes_on_before_a_higher_share():
    assert adding("lpppp", 20, present=0) == ("lsppp", 2, None)
    assert adding("wdppp", 20, present=10) == ("wdppp", 2, None)
    assert adding("pdbpp", 30, present=25) == ("pddpp", 3, None)


def test_an_address_that_is_being_added_is_put_off_by_a_lower_share_which_asks_at_the_next_step_up():
    assert adding("lddwp", 5, present=25) == ("pddpp", 0, 3)
    assert adding("pddpp", 0, present=25) == ("pddpp", 0, 3)


def test_an_address_that_could_not_be_added_holds_up_no_share():
    assert adding("fdppp", 20, present=10) == ("fdppp", 0, None)
    assert adding("fddpp", 5, present=25) == ("fddpp", 0, 3)


def test_everyone_leaves_an_address_out_that_is_to_be_added():
    assert adding("wdppp", 100, present=10) == ("sdssp", 4, None)


def test_the_canary_that_bakes_is_no_addition():
    assert adding("bpppp", 20, present=0) == ("dsppp", 2, None)


def test_only_a_shift_downwards_lowers():
    assert lowers(state(10), Transition.SHIFT, 9)
    assert not lowers(state(10), Transition.SHIFT, 10)
    assert not lowers(state(10), Transition.CANARY, 0)
    assert not lowers(state(10), Transition.PROMOTE, 0)


standing = st.sampled_from("plwfr")


@st.composite
def plans(draw) -> str:
    """Some steps that are done or skipped, perhaps one that bakes, one where the release stands, others to come."""
    done = draw(st.lists(st.sampled_from("ds"), max_size=4))
    if done and draw(st.booleans()):
        done[-1] = "b"
    return "".join([*done, draw(standing)]).ljust(5, "p")


@given(plans(), st.integers(0, 100), st.integers(0, 99))
def test_whatever_is_set_each_step_changes_by_the_table_and_the_promotion_stays_last(letters, share, present):
    steps = plan(letters)
    result = set_share(steps, share, present=present)
    for step, status in zip(steps, result.statuses, strict=True):
        assert status is step.status or status in ALLOWED_STEP[step.status]
        if status is StepStatus.SKIPPED is not step.status:
            assert step.transition in SKIPPABLE
            assert step.candidate_share <= share
    assert result.statuses[-1] not in ENDED_STEP_STATUSES


@given(plans(), st.integers(0, 100), st.integers(0, 99))
def test_after_any_share_the_rest_of_the_plan_goes_up_from_it(letters, share, present):
    result = set_share(plan(letters), share, present=present)
    left = [
        step.candidate_share
        for step, status in zip(plan(letters), result.statuses, strict=True)
        if status not in ENDED_STEP_STATUSES
    ]
    shares = left if share == 100 else [share, *left]
    assert all(lower < higher for lower, higher in pairwise(shares))


@given(plans(), st.integers(0, 100), st.integers(0, 99))
def test_what_follows_is_the_first_step_that_is_left(letters, share, present):
    result = set_share(plan(letters), share, present=present)
    ended = [status in ENDED_STEP_STATUSES for status in result.statuses]
    assert all(ended[: result.following])
    assert not ended[result.following]
    assert result.asks_again == (result.following if share < present else None)
