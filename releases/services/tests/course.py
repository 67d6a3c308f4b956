"""One service in the middle of its releases, with all that is around it, to which examples return.

Setting it up, and the releases that it has behind it, cost more than a sequence of acts from there. So it is done once,
and each example is taken back: the database by a savepoint, what is in memory by a copy.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from releases.domain.lifecycle import OPEN_STATUSES
from releases.domain.observed.reality import Difference
from releases.domain.plans.guard import Refusal
from releases.domain.traffic import Color
from releases.models import Release, Service
from releases.services.execution import recovery
from releases.services.rollback.emergency import NothingToRollBack
from releases.services.tests.invariants import (
    SETTLE_SECONDS,
    Trail,
    Witness,
    check_always,
    check_at_rest,
    served,
)
from releases.services.tests.surroundings import Interruption, Surroundings
from releases.services.tests.walk import Walk
from terraform_runner.errors import StateLocked, TerraformFailed

FAILURES = ["plan", "apply", "refused", "outdated", "other changes"]


class Course:
    """What people do with the service, what fails and what is interrupted, and what holds whatever happens."""

    def __init__(self, life: Any, keeper: User) -> None:
        self.life, self.world = life, life.world
        self.walk = Walk(life, keeper)
        self.around = Surroundings(world=self.world, act=self.meanwhile)
        self.trail = Trail()
        # What the database measures has both in it: the time that was let pass, and what the test itself has taken.
        self.witness = Witness(self.world, clock=lambda: self.around.seconds + time.monotonic())

    def begin(self, number: int) -> None:
        """So far on its way, perhaps in the second release: from there most acts are possible.

        Even numbers rotate by copy and odd ones by swap, and each two have one start more behind them.
        """
        rotation = "swap" if number % 2 else "copy"
        Service.objects.update(settle_seconds=SETTLE_SECONDS, rotation=rotation)
        for turn in range(number // 2 + 1):
            self.go_on(("request", number + turn))
            self.around.pass_time(100)
            self.around.work()
            self.check()

    @contextmanager
    def taken_back(self) -> Iterator[None]:
        """Whatever happens within, afterwards all of it is as it was."""
        parts = [self.life, self.world, self.around, self.trail, self.witness]
        memo: dict[int, Any] = {id(one): one for one in (self, *parts)}
        kept = [{name: deepcopy(value, memo) for name, value in vars(one).items()} for one in parts]
        try:
            with transaction.atomic():
                yield
                transaction.set_rollback(True)
        finally:
            for one, was in zip(parts, kept, strict=True):
                vars(one).clear()
                vars(one).update(was)

    def go_on(self, act: tuple[str, int], interruption: Interruption | None = None) -> None:
        """The act, and whatever makes something go on; one of the runs is interrupted."""
        self.around.interrupted = False
        for this in (act, ("start", 0), ("approve", 0), ("request", act[1])):
            self.walk.take(*this)
            self.around.work_off(None if self.around.interrupted else interruption)
        if self.around.interrupted:
            recovery.sweep()

    def meanwhile(self, act: str, number: int) -> None:
        """What others do in the middle of a run."""
        if act == "pass_time":
            self.around.pass_time(number)
        elif act == "work":
            self.around.work()
        else:
            self.walk.take(act, number)
        self.check()

    def check(self) -> None:
        """What holds at each moment."""
        self.witness.look()
        check_always(self.world, self.trail)

    def end(self) -> None:
        """All of it comes to rest by itself, and one press leads to the safe colour."""
        self.around.come_to_rest()
        check_at_rest(self.world)
        if not self.world.is_gone:
            self._press()
        check_always(self.world, self.trail)

    def _press(self) -> None:
        safe = Color(Service.objects.get().safe_color)
        with suppress(NothingToRollBack):
            self.life.roll_back()
        assert served(self.world) == {safe}
        self.around.come_to_rest()
        assert served(self.world) == {safe}
        assert not Release.objects.filter(status__in=OPEN_STATUSES).exists()
        check_at_rest(self.world)

    def fail(self, failure: str) -> None:
        """What fails from now on."""
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

    def mend(self) -> None:
        """Nothing fails any more."""
        self.world.plan_fails = self.world.apply_fails = None
        self.world.refusals = self.world.outdated = ()
