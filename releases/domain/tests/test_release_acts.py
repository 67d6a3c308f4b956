"""Every act at every place of a release: the tables say what is legal; everything else is refused in words."""

from dataclasses import replace
from itertools import product

import pytest

from releases.domain import release_acts
from releases.domain.access.decisions import Decision, Permission, Person, Refused
from releases.domain.acts import Act, ServiceFacts, StepFacts, possible_acts
from releases.domain.any_weight import PlacedStep
from releases.domain.approval.approval_policy import PlanIdentity
from releases.domain.lifecycle import ENDED_STEP_STATUSES, OPEN_STATUSES, ReleaseStatus, StepStatus
from releases.domain.release_acts import ReleaseFacts
from releases.domain.tests.states import state
from releases.domain.traffic import ROTATIONS, Color, Transition

EVERYBODY = Person(id="2", is_active=True, permissions=frozenset(Permission))
STEPS = {Transition.ROTATE_CANDIDATE: 0, Transition.CANARY: 0, Transition.SHIFT: 25, Transition.PROMOTE: 100}

# What is legal at a shift with a gate, of which nobody was sent to the candidate yet, by the status of the step.
AT_A_SHIFT = """
    pending:   pause start skip set_share add_address cancel roll_back
    planning:  pause start skip set_share add_address cancel roll_back
    waiting:   pause start approve reject skip set_share add_address cancel roll_back
    applying:  pause roll_back
    baking:    pause start skip skip_bake set_share add_address roll_back
    failed:    pause retry skip set_share add_address cancel roll_back
    rejected:  pause retry skip set_share add_address cancel roll_back
    done:      pause cancel roll_back
    skipped:   pause cancel roll_back
    abandoned: pause cancel roll_back
"""
# What is not legal at another step, though it is at a shift.
NEVER_AT = {
    Transition.ROTATE_CANDIDATE: {Act.SKIP, Act.SET_SHARE, Act.ADD_ADDRESS, Act.APPROVE, Act.REJECT},
    Transition.CANARY: set(),
    Transition.SHIFT: set(),
    Transition.PROMOTE: {Act.SKIP},
}
# A paused release: nothing begins; what is left out or taken back doesn't either.
NEVER_PAUSED = {Act.PAUSE, Act.START, Act.RETRY, Act.ADD_ADDRESS}
OF_THE_SERVICE = {Act.REQUEST, Act.ROLL_BACK, Act.SEE_TRAIL}


def legal_at_a_shift() -> dict[StepStatus, set[Act]]:
    lines = (line.partition(":") for line in AT_A_SHIFT.strip().splitlines())
    return {StepStatus(status.strip()): set(map(Act, acts.split())) for status, _, acts in lines}


def legal(release: ReleaseStatus, transition: Transition, status: StepStatus) -> set[Act]:
    if release not in OPEN_STATUSES:
        return {Act.REQUEST}
    acts = legal_at_a_shift()[status] - NEVER_AT[transition]
    return acts - NEVER_PAUSED | {Act.RESUME} if release is ReleaseStatus.PAUSED else acts


def facts_at(release: ReleaseStatus, transition: Transition, status: StepStatus) -> ReleaseFacts:
    """A release at a step of this kind and status: while one bakes, the next one of the kind is acted on."""
    step = PlacedStep(transition=transition, candidate_share=STEPS[transition], status=status)
    bakes, ended = status is StepStatus.BAKING, status in ENDED_STEP_STATUSES
    following = replace(step, status=StepStatus.PENDING)
    return ReleaseFacts(
        status=release,
        requested_by_id="1",
        share=10,
        current=None if ended else step,
        acting=following if bakes else None if ended else step,
        in_place=transition not in ROTATIONS and not ended,
        somebody_was_sent=bakes,
        canary_on=transition not in ROTATIONS,
    )


def acts_at(facts: ReleaseFacts, person: Person = EVERYBODY) -> dict[Act, Decision]:
    is_open = facts.status in OPEN_STATUSES
    service = ServiceFacts(
        state=state(0), safe_color=Color.BLUE, release_open=is_open, converging=False, rules_differ=False
    )
    acting = facts.acting if is_open else None
    step = step_facts(acting, paused=facts.status is ReleaseStatus.PAUSED) if acting else None
    return possible_acts(person, service, step, facts)


def step_facts(acting: PlacedStep, *, paused: bool) -> StepFacts:
    return StepFacts(
        status=acting.status,
        gate=acting.transition not in ROTATIONS,
        started=False,
        plan=PlanIdentity(sha256="a" * 64, changes_digest="b" * 64),
        approval=Refused("approval:missing", "This step waits for an approval."),
        paused=paused,
    )


EVERY_PLACE = list(product(ReleaseStatus, STEPS, StepStatus))


@pytest.mark.parametrize(("release", "transition", "status"), EVERY_PLACE)
def test_every_act_at_every_place(release, transition, status):
    answers = acts_at(facts_at(release, transition, status))
    assert set(answers) == set(Act)
    allowed = {act for act, answer in answers.items() if answer}
    assert allowed == legal(release, transition, status) | {Act.SEE_TRAIL}


@pytest.mark.parametrize(("release", "transition", "status"), EVERY_PLACE)
def test_every_refusal_says_why(release, transition, status):
    for answer in acts_at(facts_at(release, transition, status)).values():
        if isinstance(answer, Refused):
            assert answer.code.startswith(("act:", "approval:"))
            assert answer.reason[0].isupper()
            assert answer.reason.endswith(".")


@pytest.mark.parametrize(
    "act", sorted(set(Act) - OF_THE_SERVICE - {Act.APPROVE, Act.REJECT, Act.WITHDRAW, Act.CANCEL})
)
def test_who_does_not_operate_the_service_does_none_of_it(act):
    others = replace(EVERYBODY, permissions=frozenset(Permission) - {Permission.OPERATE})
    for release, transition, status in EVERY_PLACE:
        if release in OPEN_STATUSES and status not in ENDED_STEP_STATUSES:
            answer = acts_at(facts_at(release, transition, status), others)[act]
            assert isinstance(answer, Refused)
            assert answer.code == "person:no-permission"


def test_an_address_is_added_only_while_the_canary_is_on():
    answer = release_acts.may_add_address(EVERYBODY, replace(AT, canary_on=False))
    assert code(answer) == "act:canary-off"


AT = facts_at(ReleaseStatus.OPEN, Transition.SHIFT, StepStatus.WAITING)


def code(answer: Decision) -> str:
    return answer.code if isinstance(answer, Refused) else ""


@pytest.mark.parametrize(
    ("person", "may"),
    [
        (Person(id="1", is_active=True, permissions=frozenset({Permission.REQUEST})), True),
        (Person(id="3", is_active=True, permissions=frozenset({Permission.OPERATE})), True),
        (Person(id="3", is_active=True, permissions=frozenset({Permission.REQUEST})), False),
        (Person(id="1", is_active=True, permissions=frozenset({Permission.VIEW})), False),
        (Person(id="1", is_active=False, permissions=frozenset(Permission)), False),
    ],
)
def test_a_release_is_cancelled_by_who_requested_it_or_who_operates_the_service(person, may):
    assert bool(release_acts.may_cancel(person, AT)) is may


def test_what_somebody_was_sent_to_is_rolled_back_and_not_cancelled():
    answer = release_acts.may_cancel(EVERYBODY, replace(AT, somebody_was_sent=True))
    assert code(answer) == "act:was-sent"


def test_an_apply_that_failed_half_way_is_rolled_back_and_not_cancelled():
    failed = facts_at(ReleaseStatus.OPEN, Transition.ROTATE_CANDIDATE, StepStatus.FAILED)
    assert code(release_acts.may_cancel(EVERYBODY, replace(failed, apply_begun=True))) == "act:half-applied"


def share_answer(facts: ReleaseFacts, share: int) -> str:
    return code(release_acts.may_set_share(EVERYBODY, facts, share))


def test_any_share_but_the_present_and_the_next_one_can_be_set():
    assert {share: share_answer(AT, share) for share in range(101) if share_answer(AT, share)} == {
        10: "act:same-share",
        25: "act:next-already",
    }


def test_a_canary_that_comes_next_keeps_no_share_from_being_set():
    at_the_canary = facts_at(ReleaseStatus.OPEN, Transition.CANARY, StepStatus.WAITING)
    assert share_answer(at_the_canary, 0) == ""


def test_a_promotion_that_comes_next_is_not_set_again():
    at_the_end = facts_at(ReleaseStatus.OPEN, Transition.PROMOTE, StepStatus.WAITING)
    assert share_answer(at_the_end, 100) == "act:next-already"
    assert share_answer(at_the_end, 99) == ""


def test_in_a_paused_release_the_share_is_only_lowered():
    paused = replace(AT, status=ReleaseStatus.PAUSED)
    assert share_answer(paused, 9) == ""
    assert share_answer(paused, 11) == share_answer(paused, 100) == "act:paused"


@pytest.mark.parametrize(
    ("transition", "words"),
    [
        (Transition.CANARY, "The canary is being applied"),
        (Transition.SHIFT, "The shift to 25 % is being applied"),
        (Transition.PROMOTE, "The promotion is being applied"),
    ],
)
def test_a_running_apply_is_named_where_it_is_in_the_way(transition, words):
    answer = release_acts.may_set_share(
        EVERYBODY, facts_at(ReleaseStatus.OPEN, transition, StepStatus.APPLYING)
    )
    assert isinstance(answer, Refused)
    assert answer.reason.startswith(words)
