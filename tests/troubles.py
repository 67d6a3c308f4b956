"""What may be wrong when the emergency button is pressed while an apply is in flight: each is one press with it."""

import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil

from infra.local.paths import ROOT
from infra.local.tests.waiting import is_gone, wait_for
from infra.sandbox.testing import fault, held
from releases import selectors
from releases.models import Watch
from releases.services.execution import storage
from releases.services.rollback.watches import SILENT_SECONDS
from terraform_runner.claims import worker_name
from terraform_runner.models import Run
from terraform_runner.state import LOCK_OBJECT
from tests.broker import fragile_broker
from tests.in_flight import Pressed, Scene, applying, watching
from tests.machine import environment_of_test

STAYS_SECONDS = 2.5
SOMEBODY = {
    "ID": "7d0e",
    "Operation": "OperationTypeApply",
    "Who": "jane@laptop",
    "Created": "2026-11-24T21:04:16Z",
}


class Standing:
    """A process of ``tests.standing_still``; what it has started counts as it."""

    def __init__(self, act: str, *arguments: object) -> None:
        environment = environment_of_test("redis+socket:///nobody/listens/here")
        command = (sys.executable, "-m", "tests.standing_still", act, *map(str, arguments))
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def go(self) -> None:
        """Let it begin, as soon as it can."""
        self._hear("ready")
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def stands(self) -> None:
        """Wait until it was stopped."""
        self._hear("standing still")
        wait_for(
            lambda: psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED, "it to be stopped"
        )

    def below(self) -> list[psutil.Process]:
        """What it has started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def _hear(self, words: str) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == words


class Nothing:
    """Nothing else is wrong: AWS has Terraform's call, and heeds it when everybody is back."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.sandbox, self.service = scene, scene.life.sandbox, scene.life.service
        self.own, self.at_aws = ExitStack(), ExitStack()
        self.run: Run | None = None

    def play(self) -> Pressed:
        """One press."""
        self.scene.rewind()
        with self.own:
            self.own.enter_context(watching())
            self.run = self.scene.begin()
            self.reach(self.run)
            self.strike()
            back, answered = self.press()
            self.let_go()
            return Pressed(back=back, answered=answered, moved=self.scene.longest_away(seconds=STAYS_SECONDS))

    def reach(self, run: Run) -> None:
        """Come so far that the apply is in flight."""
        self.own.enter_context(self.at_aws)
        self.at_aws.enter_context(fault(self.sandbox, call="ModifyRule", act="hold"))
        self.execute(run)
        self.prepare()
        wait_for(lambda: held(self.sandbox) == 1, "Terraform's call to be held")

    def execute(self, run: Run) -> None:
        """Have it executed."""
        self.own.enter_context(applying(run))

    def prepare(self) -> None:
        """What takes its time, meanwhile."""

    def strike(self) -> None:
        """What goes wrong right before the press."""

    def press(self) -> tuple[float, float]:
        """Seconds until the users are back, and until it is answered."""
        return self.scene.press()

    def let_go(self) -> None:
        """AWS heeds the call."""
        self.at_aws.close()

    def kill(self, process: "subprocess.Popen[str]") -> None:
        """End it, and fetch it."""
        process.kill()
        process.communicate()


class FrozenBroker(Nothing):
    """Redis was stopped: it takes connections and answers nothing."""

    def prepare(self) -> None:
        folder = Path(self.own.enter_context(tempfile.TemporaryDirectory()))
        self.broker = self.own.enter_context(fragile_broker(folder))

    def strike(self) -> None:
        self.own.enter_context(self.broker.frozen())


class StoppedWorker(Nothing):
    """The worker was stopped, and its launcher and Terraform go on without it."""

    def execute(self, run: Run) -> None:
        self.worker = Standing("work", self.service.pk, run.pk)
        self.own.callback(self.kill, self.worker.process)
        self.worker.go()

    def strike(self) -> None:
        for process in self.worker.below():
            self.own.callback(_kill, process)
        self.halt(psutil.Process(self.worker.process.pid))

    def halt(self, worker: psutil.Process) -> None:
        """What becomes of the worker."""
        worker.suspend()


class KilledWorker(StoppedWorker):
    """The worker was killed; its launcher ends Terraform after half a lease."""

    def halt(self, worker: psutil.Process) -> None:
        worker.kill()


class LockedState(Nothing):
    """Somebody else's lock is on the state in the bucket."""

    def strike(self) -> None:
        self.scene.kept_state.put(LOCK_OBJECT, json.dumps(SOMEBODY).encode())


class UnreachableState(Nothing):
    """The bucket with the state does not answer, before the press and after it."""

    def strike(self) -> None:
        bucket = storage.bucket().name
        self.own.enter_context(fault(self.sandbox, call=rf"[A-Z]+ /{bucket}.*", act="fail", times=100_000))

    def let_go(self) -> None:
        super().let_go()
        self.strike()


class HeldLock(Nothing):
    """A process was stopped while its transaction holds a lock."""

    act = ""

    def prepare(self) -> None:
        self.holder = Standing(self.act, self.service.pk)
        self.own.callback(self.kill, self.holder.process)

    def strike(self) -> None:
        self.holder.go()
        self.holder.stands()


class HeldService(HeldLock):
    """That of the service's row."""

    act = "hold-service"


class HeldTrail(HeldLock):
    """Those that an event in the trail takes."""

    act = "hold-trail"


class HeldRun(HeldLock):
    """That of the run's row, which a heartbeat takes."""

    act = "hold-run"


class HeldWatch(HeldLock):
    """That of the row of the watch after an earlier press, whose rollback this press joins."""

    act = "hold-watch"

    def strike(self) -> None:
        self.scene.press()
        super().strike()
        self.scene.put_back()


class StoppedRecorder(Nothing):
    """The worker was stopped in the middle of the transaction in which it records that its apply has succeeded."""

    def reach(self, run: Run) -> None:
        worker = Standing("record", self.service.pk, run.pk)
        self.own.callback(self.kill, worker.process)
        worker.go()
        worker.stands()


class StoppedWatcher(Nothing):
    """The web process that was pressed at is stopped then; another one watches three seconds later."""

    def prepare(self) -> None:
        self.web = Standing("press", self.service.pk, self.scene.life.otto.pk)
        self.own.callback(self.kill, self.web.process)

    def press(self) -> tuple[float, float]:
        began = time.monotonic()
        self.web.go()
        self.web.stands()
        answered = time.monotonic() - began
        rollback = selectors.last_rollback(self.service)
        assert rollback is not None
        assert rollback.traffic_back_at is not None
        wait_for(self._is_taken_over, "the watch to be taken over", seconds=SILENT_SECONDS + 10)
        return (rollback.traffic_back_at - rollback.pressed_at).total_seconds(), answered

    def _is_taken_over(self) -> bool:
        return Watch.objects.filter(watcher=worker_name()).exists()


def _kill(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.kill()
    wait_for(lambda: is_gone(process.pid), "what the worker has started to be gone")
