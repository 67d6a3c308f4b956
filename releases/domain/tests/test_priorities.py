import re
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.domain.provisioning.priorities import (
    HIGHEST,
    HeldPriority,
    Layout,
    NoPriority,
    Room,
    check,
    check_move,
    derive,
    held,
    numbers,
    shadows,
)

taken_numbers = st.sets(st.integers(1, 60))
slots = st.integers(1, 10)


def rules(*priorities: int) -> list[HeldPriority]:
    return [HeldPriority(priority=number, holder=f"rule {number}") for number in priorities]


@pytest.mark.parametrize(
    ("slots", "has_header", "expected"),
    [(1, False, [199, 200]), (3, False, [197, 198, 199, 200]), (2, True, [197, 198, 199, 200])],
)
def test_a_services_rules_stand_together_before_its_traffic_rule(slots, has_header, expected):
    assert list(numbers(200, slots=slots, has_header=has_header)) == expected


@given(taken_numbers, slots, st.booleans())
def test_what_is_derived_is_free_and_nothing_lower_would_be(taken, slots, has_header):
    priority = derive(taken, slots=slots, has_header=has_header)
    check(priority, rules(*taken), slots=slots, has_header=has_header)
    for lower in range(1, priority):
        with pytest.raises(NoPriority):
            check(lower, rules(*taken), slots=slots, has_header=has_header)


@given(taken_numbers, slots)
def test_a_service_that_takes_every_request_comes_after_all_others(taken, slots):
    priority = derive(taken, slots=slots, after_all_others=True)
    assert min(numbers(priority, slots=slots)) > max(taken, default=0)


@given(st.lists(st.tuples(slots, st.booleans()), max_size=8))
def test_any_number_of_derived_services_never_collide(services):
    taken: list[int] = []
    for slots, has_header in services:
        priority = derive(taken, slots=slots, has_header=has_header)
        taken += numbers(priority, slots=slots, has_header=has_header)
    assert len(taken) == len(set(taken))


def test_a_full_listener_says_so():
    with pytest.raises(NoPriority, match="no room for the service's rules"):
        derive(range(1, HIGHEST + 1, 2), slots=1)


def test_who_has_a_wanted_priority_is_said():
    with pytest.raises(NoPriority) as refusal:
        check(200, rules(198, 199, 201), slots=1)
    assert refusal.value.message == (
        "The service needs the priorities 199 and 200, and not all of them are free: 199 is rule 199. "
        "Choose another priority."
    )


def test_of_many_holders_the_first_are_named():
    with pytest.raises(NoPriority, match=r"190 to 200.*: 190 is rule 190; .*194 is rule 194\. Choose"):
        check(200, rules(*range(190, 201)), slots=10)


@pytest.mark.parametrize("priority", [-1, 0, 1, 2, 3, 50_001, 10**9])
def test_a_priority_outside_of_the_range_names_the_range(priority):
    with pytest.raises(NoPriority, match="from 4 to 50000"):
        check(priority, [], slots=2, has_header=True)


@pytest.mark.parametrize("priority", [4, 50_000])
def test_the_ends_of_the_range_are_in_it(priority):
    check(priority, [], slots=2, has_header=True)


def test_only_rules_within_the_wanted_numbers_are_in_the_way():
    assert [rule.priority for rule in held(range(10, 13), rules(9, 10, 12, 13))] == [10, 12]


def test_a_rule_before_that_takes_everything_is_found():
    before = HeldPriority(priority=5, holder="the old shop", takes_all=True)
    after = HeldPriority(priority=500, holder="the rest", takes_all=True)
    assert shadows(numbers(200, slots=1), [before, after, *rules(6)]) == (before,)


def test_a_priority_after_a_rule_that_takes_everything_is_refused_with_the_way_out():
    everything = HeldPriority(priority=50, holder="the old shop", takes_all=True)
    check(49, [everything], slots=1)
    with pytest.raises(NoPriority) as refused:
        check(200, [everything], slots=1)
    assert refused.value.message == (
        "No request would reach the service: 50 is the old shop, which takes every request. "
        "Choose a priority before 50."
    )


def test_a_service_that_takes_every_request_is_refused_before_a_rule_of_anybody():
    check(200, rules(198), slots=1, takes_all=True)
    check(200, rules(300), slots=1)
    with pytest.raises(NoPriority, match=r"would take every request, .*: 300 is rule 300\. Give it hosts or"):
        check(200, rules(300), slots=1, takes_all=True)


@pytest.mark.parametrize(
    ("groups", "services", "is_full"), [(0, 0, False), (85, 43, False), (98, 49, False), (99, 50, True)]
)
def test_each_service_needs_two_of_a_load_balancers_hundred_target_groups(groups, services, is_full):
    room = Room(target_groups=groups)
    assert (str(room), room.is_full) == (f"{services} of 50 services on this load balancer", is_full)


few_slots = st.integers(1, 3)


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    return Layout(priority=draw(st.integers(20, 30)), slots=draw(few_slots), has_header=draw(st.booleans()))


def grown(layout: Layout, *, by: int, move: int, header: bool) -> Layout:
    """What a service's layout may become: no rule is ever given up."""
    return Layout(
        priority=layout.priority + move, slots=layout.slots + by, has_header=layout.has_header or header
    )


def refused(starts: list[Layout], wanted: Layout) -> str:
    """Why the move is refused; empty where it isn't."""
    try:
        check_move(starts, wanted)
    except NoPriority as error:
        return error.message
    return ""


def collides(now: dict[str, int], order: tuple[str, ...], wanted: dict[str, int]) -> bool:
    """Whether the load balancer refuses one of the changes, made one by one in this order."""
    there = dict(now)
    for rule in order:
        if wanted[rule] in {number for other, number in there.items() if other != rule}:
            return True
        there[rule] = wanted[rule]
    return False


@given(layouts(), st.integers(0, 2), st.integers(-8, 8), st.booleans())
def test_a_move_is_refused_exactly_if_the_load_balancer_could_refuse_it(now, by, move, header):
    wanted = grown(now, by=by, move=move, header=header).by_rule
    changing = [rule for rule, number in wanted.items() if now.by_rule.get(rule) != number]
    could_fail = any(collides(now.by_rule, order, wanted) for order in permutations(changing))
    assert bool(refused([now], grown(now, by=by, move=move, header=header))) == could_fail


@given(layouts(), st.integers(0, 2), st.integers(-8, 8), st.booleans())
def test_what_is_said_to_be_possible_is(now, by, move, header):
    wanted = grown(now, by=by, move=move, header=header)
    said = refused([now], wanted).partition("choose a priority")[2]
    for priority in map(int, re.findall(r"at (?:least|most) (\d+)", said)):
        there = Layout(priority=priority, slots=wanted.slots, has_header=wanted.has_header)
        assert refused([now], there) == ""


@given(layouts(), layouts(), st.integers(0, 2))
def test_what_was_begun_may_be_finished_and_taken_back(now, other, by):
    begun = Layout(priority=other.priority, slots=now.slots + by, has_header=now.has_header)
    if not refused([now], begun):
        assert refused([now, begun], begun) == ""
        assert by or refused([now, begun], now) == ""


def test_what_to_choose_is_said():
    now = Layout(priority=200, slots=1)
    assert refused([now], Layout(priority=201, slots=1)) == (
        "The service's own rules have 200 now, and each rule moves by itself: "
        "choose a priority of at most 198 or at least 202."
    )
    assert refused([now], Layout(priority=200, slots=3)) == ""
    with_header = Layout(priority=200, slots=1, has_header=True)
    assert "at most 197 or at least 204" in refused(
        [with_header], Layout(priority=200, slots=2, has_header=True)
    )
    assert "of at least 5." in refused([Layout(priority=3, slots=1)], Layout(priority=2, slots=1))
