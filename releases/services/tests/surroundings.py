"""What is around the orchestrator: time, messages, and workers that are killed, stopped or asked to stop."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from uuid import UUID

from django.db import connection, models
from django.db.models import F
from django.db.models.functions import Now

from releases.models import EmergencyRollback, Release, Service, Step
from releases.services.execution import recovery, runs
from releases.services.tests.world import Killed, StandInHold, World
from terraform_runner import claims, handing_over, leases
from terraform_runner.domain.runs import OPEN_STATUSES
from terraform_runner.errors import HoldLost, RunCancelled
from terraform_runner.models import ClockReading, Run, Worker

LEASE_SECONDS = 45.0
# A lease, the grace time, and a little: nothing is left of a run then whose worker is silent.
TAKEN_OVER_SECONDS = 80
UNSENT_SECONDS = 6
POINTS = ["claimed", "planning", "planned", "before-check", "checked", "applied", "reading", "recording"]
OF_TERRAFORM = frozenset({"planning", "planned", "checked", "applied"})
ENDINGS = ["goes on", "killed", "killed elsewhere", "stopped", "told to stop"]


@dataclass(frozen=True, kw_only=True)
class Interruption:
    """What happens when a run has come to a point: others act, and then it goes on or not.

    ``tears``: Terraform has done a part of its apply by then. ``heeds``: it ends where the run was cancelled meanwhile.
    """

    point: str
    meanwhile: Sequence[tuple[str, int]] = ()
    ending: str = "goes on"
    tears: bool = False
    heeds: bool = True


@dataclass
class Surroundings:
    """One service's world, with the messages on their way and the time that has passed."""

    world: World
    act: Callable[[str, int], None]
    seconds: float = 0
    messages: list[UUID] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)
    interrupted: bool = False
    _beating: list[Run] = field(default_factory=list)
    _names: "count[int]" = field(default_factory=count)

    def pass_time(self, seconds: float) -> None:
        """Everything that was noted is so much longer ago; whoever is at work goes on beating."""
        self.seconds += seconds
        _move(seconds, own_clock=seconds)
        for run in self._beating:
            leases.renew(run, lease_seconds=LEASE_SECONDS)

    def take_messages(self) -> None:
        """What was committed is sent."""
        committed, connection.run_on_commit = connection.run_on_commit, []
        for _, send, *_ in committed:
            send()
        del self.messages[:-20]

    def deliver(self, number: int, *, again: bool, interruption: Interruption | None = None) -> None:
        """One of the messages arrives, whichever; ``again``: it will come once more."""
        if not self.messages:
            return
        run_id = self.messages[number % len(self.messages)]
        if not again:
            self.messages.remove(run_id)
        self.execute(run_id, interruption)

    def execute(self, run_id: UUID, interruption: Interruption | None = None) -> None:
        """A worker of its own takes the run, if it can be taken."""
        host = "elsewhere" if interruption and interruption.ending != "killed" else claims.worker_host()
        worker = f"{host}/{next(self._names)}/1.00"

        def come_to(point: str, hold: StandInHold | None) -> None:
            self._come_to(interruption, point, hold)

        others, self.world.at = self.world.at, come_to
        try:
            runs.execute(run_id, worker=worker)
        except Killed:
            self.dead.add(worker)
        finally:
            self.world.at = others
            self.world.killed = False
            self._beating = [run for run in self._beating if run.worker != worker]
            handing_over._asked[0] = 0

    def work(self, interruption: Interruption | None = None) -> None:
        """What workers and the scheduler do until no message is left; the first run that comes there is interrupted."""
        self.work_off(interruption)
        recovery.sweep()
        self.take_messages()

    def work_off(self, interruption: Interruption | None = None) -> None:
        """What workers alone do: a sweep costs more than all that they do mostly."""
        self.take_messages()
        while self.messages:
            self.execute(self.messages.pop(0), interruption)
            interruption = None if self.interrupted else interruption
            self.take_messages()

    def come_to_rest(self) -> None:
        """Three minutes, in which every message is lost that was on its way: the scheduler has to see to it.

        While no run is open it is time alone that brings anything, so that the rest of it passes at once.
        """
        self.messages.clear()
        left = [UNSENT_SECONDS, TAKEN_OVER_SECONDS] * 2
        while left:
            passing = left[:1] if open_runs() else left
            left = left[len(passing) :]
            self.pass_time(sum(passing))
            recovery.sweep()
            self.work_off()

    def _come_to(self, interruption: Interruption | None, point: str, hold: StandInHold | None) -> None:
        if hold and hold.run not in self._beating:
            self._beating.append(hold.run)
        if interruption and interruption.point == point:
            self._interrupt(interruption)
        if hold and point in OF_TERRAFORM:
            _end_if_over(hold, heeds=point != "applied" and (interruption is None or interruption.heeds))

    def _interrupt(self, interruption: Interruption) -> None:
        """In the middle of a run: what this process would do next happens afterwards, or never."""
        kept, self.world.at = self.world.at, lambda *_: None
        self.interrupted = True
        if interruption.tears and interruption.point == "checked":
            self.world.tear()
        if interruption.ending.startswith("killed") or interruption.point == "recording":
            self.world.killed = True
            raise Killed
        if interruption.ending == "told to stop":
            handing_over.ask()
        if interruption.ending == "stopped":
            self._beating.clear()
            self.pass_time(TAKEN_OVER_SECONDS)
            recovery.sweep()
        for act, number in interruption.meanwhile:
            self.act(act, number)
        self.world.at, self.interrupted = kept, True


def _end_if_over(hold: StandInHold, *, heeds: bool) -> None:
    """A launcher ends Terraform when its worker holds the run no more, or was asked to stop it."""
    if not leases.running(hold.run).filter(lease_until__gt=Now()).exists():
        raise HoldLost("Terraform was ended.")
    reason = hold.should_stop()
    if reason and heeds:
        raise RunCancelled(reason)


def open_runs() -> int:
    """How many runs are queued or running."""
    return Run.objects.filter(status__in=OPEN_STATUSES).count()


def move_clock(seconds: float) -> None:
    """The database's clock is moved, and no other: everything that was noted is so much longer ago."""
    _move(seconds, own_clock=0)


def _move(seconds: float, *, own_clock: float) -> None:
    back = timedelta(seconds=seconds)
    for model in (Run, Worker, Step, Release, Service, EmergencyRollback):
        times = [one.name for one in model._meta.concrete_fields if isinstance(one, models.DateTimeField)]
        model._base_manager.update(**{name: F(name) - back for name in times})
    moved = {name: F(name) - back for name in ("read_at", "jumped_at")}
    ClockReading.objects.update(own_seconds=F("own_seconds") - own_clock, **moved)
