"""Any sequence of acts, results, crashes and messages, by the real services on the real database.

Terraform and AWS are the stand-ins of ``world``, and time passes when a rule says so. The invariants hold after each
rule; at the end everything has come to rest by itself, and one press leads to the safe colour. Each example is one
transaction that is taken back. A failure is played again by its printed rules, and one of many by its seed.
"""

from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from celery import current_app
from django.db import transaction
from hypothesis import HealthCheck, event, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from aws import functions, load_balancer
from releases.domain.decisions import Permission
from releases.domain.guard import Refusal
from releases.domain.lifecycle import OPEN_STATUSES
from releases.domain.reality import Difference
from releases.domain.traffic import Color
from releases.models import Release, Service, Step
from releases.services import recovery, runs
from releases.services.emergency import NothingToRollBack
from releases.services.tests.invariants import (
    SETTLE_SECONDS,
    Trail,
    Witness,
    check_always,
    check_at_rest,
    served,
)
from releases.services.tests.surroundings import ENDINGS, POINTS, Interruption, Surroundings, move_clock
from releases.services.tests.walk import ACTS, OFTEN, Walk
from releases.services.tests.world import StandInHold
from terraform_runner import claims, executor, reaper
from terraform_runner.errors import StateLocked, TerraformFailed

EXAMPLES, STEPS = 15, 20
# Five hundred sequences are tens of thousands of acts, runs and sweeps; so many at a time are played again by a seed.
SEEDS, MANY_EXAMPLES = range(20), 25
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
FAILURES = ["plan", "apply", "refused", "outdated", "other changes"]


class AnySequence(RuleBasedStateMachine):
    """One service at the beginning of its first release; ``life`` is given by the test."""

    life: Any
    keeper: Any
    patch: pytest.MonkeyPatch

    def __init__(self) -> None:
        super().__init__()
        self.world = self.life.world
        self.kept = deepcopy(self.world.__dict__)
        self.example = transaction.atomic()
        self.example.__enter__()
        self.walk = Walk(self.life, self.keeper)
        self.around = Surroundings(world=self.world, act=self.meanwhile)
        self.trail = Trail()
        self.witness = Witness(self.world, clock=lambda: self.around.seconds)
        self._stand_in()

    def _stand_in(self) -> None:
        self.patch.setattr(
            current_app, "send_task", lambda _, args, **__: self.around.messages.append(args[0])
        )
        self.patch.setattr(executor, "plan", self.witness.plan)
        self.patch.setattr(executor, "apply", self.witness.apply)
        self.patch.setattr(reaper, "_worker_lives", lambda run: run.worker not in self.around.dead)

    @initialize(number=NUMBERS, rotation=st.sampled_from(["copy", "swap"]), starts=st.integers(0, 9))
    def begin(self, number: int, rotation: str, starts: int) -> None:
        """So far on its way, perhaps in the second release: from there most acts are possible."""
        Service.objects.update(settle_seconds=SETTLE_SECONDS, rotation=rotation)
        for turn in range(starts + 1):
            self._go_on(("request", number + turn))
            self.around.pass_time(100)
            self.around.work()

    @rule(act=PEOPLE, works=st.sampled_from([True, True, True, False]))
    def somebody_acts(self, act: tuple[str, int], works: bool) -> None:
        self.walk.take(*act)
        if works:
            self.around.work()

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
        self.around.interrupted = False
        self._go_on(act, interruption)
        event(f"interrupted {self.around.interrupted} at {interruption.point}: {interruption.ending}")

    @rule(act=PEOPLE, failure=st.sampled_from(FAILURES))
    def a_run_fails(self, act: tuple[str, int], failure: str) -> None:
        self._fail(failure)
        self._go_on(act)
        self._mend()

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

    def _go_on(self, act: tuple[str, int], interruption: Interruption | None = None) -> None:
        """The act, and whatever makes something go on; one of the runs is interrupted."""
        for this in (act, ("start", 0), ("approve", 0), ("request", act[1])):
            self.walk.take(*this)
            self.around.work_off(None if self.around.interrupted else interruption)
        recovery.sweep()

    @invariant()
    def holds_always(self) -> None:
        self.witness.look()
        check_always(self.world, self.trail)

    def meanwhile(self, act: str, number: int) -> None:
        """What others do in the middle of a run."""
        if act == "pass_time":
            self.around.pass_time(number)
        elif act == "work":
            self.around.work()
        else:
            self.walk.take(act, number)
        self.holds_always()

    def teardown(self) -> None:
        """All of it comes to rest by itself, and one press leads to the safe colour."""
        try:
            self.around.come_to_rest()
            check_at_rest(self.world)
            event(f"statuses of steps: {sorted(set(Step.objects.values_list('status', flat=True)))}")
            if not self.world.is_gone:
                self._press()
            check_always(self.world, self.trail)
        finally:
            transaction.set_rollback(True)
            self.example.__exit__(None, None, None)
            self.patch.undo()
            self.world.__dict__.clear()
            self.world.__dict__.update(self.kept)
            self.life.service.refresh_from_db()

    def _press(self) -> None:
        safe = Color(Service.objects.get().safe_color)
        with suppress(NothingToRollBack):
            self.life.roll_back()
        assert served(self.world) == {safe}
        self.around.come_to_rest()
        assert served(self.world) == {safe}
        assert not Release.objects.filter(status__in=OPEN_STATUSES).exists()
        check_at_rest(self.world)

    def _fail(self, failure: str) -> None:
        if failure == "plan":
            self.world.plan_fails = StateLocked("locked", who="ana", since="", operation="")
        elif failure == "apply":
            self.world.apply_fails = TerraformFailed("AccessDenied")
        elif failure == "refused":
            self.world.refusals = (
                Refusal(address="aws_lb_listener_rule.traffic", attribute="", reason="It is destroyed"),
            )
        elif failure == "outdated":
            self.world.outdated = (Difference(what="weights", expected="a", found="b"),)
            self.world.outdated_times = 1
        else:
            self.world.salt += "."

    def _mend(self) -> None:
        self.world.plan_fails = self.world.apply_fails = None
        self.world.refusals = self.world.outdated = ()


@pytest.fixture
def machine(life, person, monkeypatch) -> Iterator[type[AnySequence]]:
    """The state machine of this test's service."""

    class Hold(StandInHold):
        def __enter__(self) -> StandInHold:
            life.world.at("claimed", self)
            return self

    finish = claims.finish

    def finished(*given: Any) -> Any:
        life.world.at("recording", None)
        return finish(*given)

    monkeypatch.setattr(runs, "Hold", Hold)
    monkeypatch.setattr(claims, "finish", finished)
    monkeypatch.setattr(load_balancer, "registered_targets", life.world.find)
    monkeypatch.setattr(functions, "check_function", life.world.find)
    with pytest.MonkeyPatch.context() as patch:
        yield type(
            "AnySequenceOfThisService",
            (AnySequence,),
            {
                "life": life,
                "keeper": person("kim", Permission.VIEW, Permission.MANAGE, Permission.APPROVE),
                "patch": patch,
            },
        )


def walk(machine: type[AnySequence], *, examples: int) -> None:
    """So many sequences."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


def test_the_invariants_hold_after_any_sequence_and_one_press_leads_to_the_safe_colour(machine):
    walk(machine, examples=EXAMPLES)


@pytest.mark.long
@pytest.mark.parametrize("number", SEEDS)
def test_the_invariants_hold_after_thousands_of_acts(machine, number):
    walk(seed(number)(machine), examples=MANY_EXAMPLES)
