"""Any sequence of acts, results, crashes and messages, by the real services on the real database.

Terraform and AWS are the stand-ins of ``world``, and time passes when a rule says so. The invariants hold after each
rule; at the end everything has come to rest by itself, and one press leads to the safe colour. A failure is played
again by its printed rules, and one of thousands by its number, which is also the seed.
"""

from contextlib import ExitStack
from typing import Any

import pytest
from celery import current_app
from hypothesis import HealthCheck, event, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from aws import functions, load_balancer
from releases.domain.access.decisions import Permission
from releases.models import Step
from releases.services.execution import recovery, runs
from releases.services.tests.course import FAILURES, Course
from releases.services.tests.surroundings import ENDINGS, POINTS, Interruption, move_clock
from releases.services.tests.walk import ACTS, OFTEN
from releases.services.tests.world import StandInHold
from terraform_runner import claims, executor, reaper

BEGINNINGS, EXAMPLES, STEPS = (0, 9, 14), 5, 20
SEEDS, MANY_EXAMPLES, MANY_STEPS = range(20), 100, 6
NUMBERS = st.integers(0, 100)
PEOPLE = st.tuples(st.sampled_from(ACTS + OFTEN), NUMBERS)
MEANWHILE = st.tuples(
    st.sampled_from([*ACTS, *OFTEN, "roll_back", "roll_back", "work", "pass_time"]), NUMBERS
)
INTERRUPTIONS = st.builds(
    Interruption,
    point=st.sampled_from(POINTS),
    meanwhile=st.lists(MEANWHILE, max_size=3),
    ending=st.sampled_from(ENDINGS),
    tears=st.booleans(),
    heeds=st.booleans(),
)


class AnySequence(RuleBasedStateMachine):
    """From where ``course`` has begun, which is given by the test."""

    course: Course

    def __init__(self) -> None:
        super().__init__()
        self.example = ExitStack()
        self.example.enter_context(self.course.taken_back())
        self.around = self.course.around

    @rule(act=PEOPLE, works=st.sampled_from([True, True, True, False]))
    def somebody_acts(self, act: tuple[str, int], works: bool) -> None:
        self.course.walk.take(*act)
        if works:
            self.around.work_off()

    @rule(number=NUMBERS, again=st.booleans())
    def a_message_arrives(self, number: int, again: bool) -> None:
        self.around.take_messages()
        self.around.deliver(number, again=again)

    @rule(number=NUMBERS)
    def a_message_is_lost(self, number: int) -> None:
        self.around.take_messages()
        if self.around.messages:
            self.around.messages.pop(number % len(self.around.messages))

    @rule(act=PEOPLE, interruption=INTERRUPTIONS)
    def a_run_is_interrupted(self, act: tuple[str, int], interruption: Interruption) -> None:
        self.course.go_on(act, interruption)
        event(f"interrupted {self.around.interrupted} at {interruption.point}: {interruption.ending}")

    @rule(act=PEOPLE, failure=st.sampled_from(FAILURES))
    def a_run_fails(self, act: tuple[str, int], failure: str) -> None:
        self.course.fail(failure)
        self.course.go_on(act)
        self.course.mend()

    @rule(seconds=st.sampled_from([1, 10, 30, 80, 300]))
    def time_passes(self, seconds: int) -> None:
        self.around.pass_time(seconds)
        self.around.work()

    @rule(seconds=st.sampled_from([-3600, -100, 100, 3600]))
    def the_clock_is_moved(self, seconds: int) -> None:
        move_clock(seconds)
        recovery.sweep()

    @rule()
    def the_scheduler_sweeps(self) -> None:
        recovery.sweep()

    @invariant()
    def holds_always(self) -> None:
        self.course.check()

    def teardown(self) -> None:
        with self.example:
            self.course.end()
            event(f"statuses of steps: {sorted(set(Step.objects.values_list('status', flat=True)))}")


@pytest.fixture
def course(life, person, monkeypatch) -> Course:
    """That of this test's service, before it begins."""

    class Hold(StandInHold):
        def __enter__(self) -> StandInHold:
            life.world.at("claimed", self)
            return self

    finish = claims.finish

    def finished(*given: Any) -> Any:
        life.world.at("recording", None)
        return finish(*given)

    made = Course(life, person("kim", Permission.VIEW, Permission.MANAGE, Permission.APPROVE))
    around = made.around
    monkeypatch.setattr(runs, "Hold", Hold)
    monkeypatch.setattr(claims, "finish", finished)
    monkeypatch.setattr(load_balancer, "registered_targets", life.world.find)
    monkeypatch.setattr(functions, "check_function", life.world.find)
    monkeypatch.setattr(executor, "plan", made.witness.plan)
    monkeypatch.setattr(executor, "apply", made.witness.apply)
    monkeypatch.setattr(reaper, "_worker_lives", lambda run: run.worker not in around.dead)
    monkeypatch.setattr(current_app, "send_task", lambda _, args, **__: around.messages.append(args[0]))
    return made


def walk(machine: type[AnySequence], *, examples: int, steps: int) -> None:
    """So many sequences."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


def machine(course: Course, number: int) -> type[AnySequence]:
    """The state machine of this test's service, which has begun."""
    course.begin(number)
    return type("AnySequenceFromHere", (AnySequence,), {"course": course})


@pytest.mark.parametrize("number", BEGINNINGS)
def test_the_invariants_hold_after_any_sequence_and_one_press_leads_to_the_safe_colour(course, number):
    walk(machine(course, number), examples=EXAMPLES, steps=STEPS)


@pytest.mark.long
@pytest.mark.parametrize("number", SEEDS)
def test_the_invariants_hold_after_thousands_of_sequences(course, number):
    walk(seed(number)(machine(course, number)), examples=MANY_EXAMPLES, steps=MANY_STEPS)
