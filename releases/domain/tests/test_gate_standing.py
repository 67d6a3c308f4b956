from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.domain.access.decisions import Person, Refused
from releases.domain.access.roles import Role
from releases.domain.approval.gate_policy import MOST_SLOTS
from releases.domain.approval.gate_standing import (
    WhoCounts,
    check_place,
    in_words,
    standing,
    wanted,
    who_could,
)
from releases.domain.approval.slots import ANYBODY, Slot

# A group that is called like a role is none.
GROUPS = ("SRE", "DBA", "manager")
ROLES = (Role.MANAGER, Role.OPERATOR)
some_groups = st.frozensets(st.sampled_from(GROUPS), max_size=2)
some_roles = st.frozensets(st.sampled_from(ROLES))
slots = st.lists(st.builds(Slot, groups=some_groups, roles=some_roles), min_size=1, max_size=MOST_SLOTS)
crowds = st.lists(st.tuples(some_groups, some_roles), max_size=6).map(
    lambda each: [person(str(number), *groups, roles=roles) for number, (groups, roles) in enumerate(each)]
)


def person(name: str, *groups: str, roles: Collection[Role] = ()) -> Person:
    return Person(id=name, is_active=True, groups=frozenset(groups), roles=frozenset(roles))


def slot(*groups: str, roles: Collection[Role] = ()) -> Slot:
    return Slot(groups=frozenset(groups), roles=frozenset(roles))


ANA, SAM, SUE = person("ana"), person("sam", "SRE"), person("sue", "SRE", "DBA")
MONA = person("mona", "SRE", roles=[Role.MANAGER])
MANAGER, SRE_OR_MANAGER = slot(roles=[Role.MANAGER]), slot("SRE", roles=[Role.MANAGER])


def most_filled(places: list[Slot], people: list[Person]) -> int:
    """By trying everybody at every place, and nobody."""
    if not places:
        return 0
    place, *others = places
    taken = [
        1 + most_filled(others, [other for other in people if other is not one])
        for one in people
        if place.may_be_filled_by(one)
    ]
    return max([most_filled(others, people), *taken])


@given(places=slots.filter(lambda each: len(each) <= 3), people=crowds.filter(lambda each: len(each) <= 4))
def test_as_many_places_are_filled_as_can_be_and_nobody_stands_in_two(places, people):
    stands = standing(places, people)
    assert len(stands.filled) == most_filled(places, people)
    assert len(set(stands.filled.values())) == len(stands.filled)
    by_id = {one.id: one for one in people}
    assert all(places[place].may_be_filled_by(by_id[who]) for place, who in stands.filled.items())


@given(places=slots, people=crowds)
def test_who_could_help_is_exactly_who_opens_one_place_more(places, people):
    filled = len(standing(places, people).filled)
    others = [person("new", *GROUPS, roles=ROLES), person("role", roles=ROLES[:1]), person("plain")]
    could = who_could(places, people, others)
    for one in others:
        helps = len(standing(places, [*people, one]).filled) > filled
        assert helps == (one in could) == bool(check_place(one, places, people))


@given(places=slots, people=crowds)
def test_a_gate_is_open_exactly_when_nobody_is_wanted_and_is_never_stuck(places, people):
    assert standing(places, people).is_open == (not wanted(places, people))
    helpers = [person(f"helper {number}", *GROUPS, roles=ROLES) for number in range(MOST_SLOTS)]
    assert standing(places, [*people, *helpers]).is_open


@pytest.mark.parametrize(
    ("places", "people", "names"),
    [
        ([ANYBODY], [], {""}),
        ([ANYBODY], [ANA], set()),
        ([ANYBODY, slot("SRE")], [ANA], {"SRE"}),
        ([ANYBODY, slot("SRE")], [SAM], {"", "SRE"}),
        ([slot("SRE"), slot("DBA")], [SUE], {"SRE", "DBA"}),
        ([slot("SRE"), slot("DBA")], [SUE, SAM], set()),
        ([slot("SRE", "Lead"), slot("DBA")], [SAM], {"DBA"}),
        ([ANYBODY, MANAGER], [ANA], {"the role manager"}),
        ([MANAGER], [person("ivo", "manager", "the role manager")], {"the role manager"}),
        ([SRE_OR_MANAGER, slot("SRE")], [MONA], {"SRE", "the role manager"}),
        ([SRE_OR_MANAGER, MANAGER], [SAM, MONA], set()),
    ],
)
def test_whose_approval_is_wanted(places, people, names):
    assert wanted(places, people) == names


def test_one_who_could_fill_any_place_moves_where_nobody_else_can_stand():
    stands = standing([slot("SRE", "DBA"), slot("DBA")], [SUE, SAM])
    assert stands.filled == {1: "sue", 0: "sam"}


def test_who_cannot_fill_what_is_left_is_told_what_is_missing():
    answer = check_place(person("ivo"), [ANYBODY, slot("SRE")], [ANA])
    assert isinstance(answer, Refused)
    words = "What is missing is an approval by somebody of SRE: you are in none of these groups and roles."
    assert answer.reason == words


@pytest.mark.parametrize(
    ("people", "could", "words"),
    [
        ([ANA], ["rosa", "li"], "1 of 2: somebody of SRE is missing (@li or @rosa)"),
        ([], ["rosa"], "0 of 2: an approver and somebody of SRE are missing (@rosa)"),
        ([ANA], [], "1 of 2: somebody of SRE is missing (nobody who could is known: an administrator helps)"),
        ([ANA, SAM], [], "2 of 2: nobody is missing"),
    ],
)
def test_what_is_missing_is_said_with_who_could_give_it(people, could, words):
    assert in_words(standing([ANYBODY, slot("SRE")], people), could) == words


def test_a_role_that_is_missing_is_said_as_the_policy_has_it():
    stands = standing([ANYBODY, SRE_OR_MANAGER], [ANA])
    assert in_words(stands, ["mona"]) == "1 of 2: somebody of SRE or the role manager is missing (@mona)"


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        (WhoCounts(), ""),
        (WhoCounts(requester_ids=frozenset({"ana"})), "approval:own-release"),
        (WhoCounts(changer_ids=frozenset({"ana"})), "approval:changed-it"),
        (WhoCounts(elsewhere_ids=frozenset({"ana"})), "approval:other-gate"),
        (WhoCounts(four_eyes=False, requester_ids=frozenset({"ana"}), changer_ids=frozenset({"ana"})), ""),
        (WhoCounts(four_eyes=False, elsewhere_ids=frozenset({"ana"})), "approval:other-gate"),
    ],
)
def test_whose_approval_counts(rules, code):
    answer = rules.check(ANA)
    assert (answer.code if isinstance(answer, Refused) else "") == code


def test_a_service_account_never_counts_whatever_the_policy_says():
    robot = Person(id="robot", is_active=True, is_service_account=True)
    answer = WhoCounts(four_eyes=False).check(robot)
    assert isinstance(answer, Refused)
    assert answer.code == "approval:service-account"
