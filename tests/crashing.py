"""A service in the middle of a release, and the real processes that work for it, for tests that kill them."""

import itertools
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from conftest import TerraformCli
from infra.local.tests.ports import free_port
from infra.local.tests.waiting import is_gone, pid_in, wait_for
from infra.sandbox.info import SandboxInfo
from infra.sandbox.tests.service import client
from releases import selectors
from releases.domain.approval.approval_policy import PlanIdentity
from releases.domain.lifecycle import StepStatus
from releases.models import Step
from releases.services import requests, rollout
from releases.services.approval import approvals
from releases.services.lifecycle import SYSTEM, locked
from releases.services.provisioning import setup
from releases.services.provisioning.setup import NewService
from releases.services.requests import ReleaseRequest
from releases.services.tests.conftest import TESTS
from terraform_runner.domain.runs import Operation, RunStatus
from terraform_runner.models import Run
from terraform_runner.points import Point
from tests.fault_matrix import Target
from tests.installation import SCHEDULER, URGENT_WORKER, WORKER, make_bucket
from tests.life import Life, new_service, use_sandbox
from tests.machine import GRACE_SECONDS, LEASE_SECONDS, Machine, begin_worker, program_of, running_machine
from tests.mortal import Mortal, MortalProgram, forget_connections, mortal_broker, mortal_database

AT_MOST_SECONDS = 180
WEB = ("-m", "uvicorn", "bluegreen.asgi:application", "--host=127.0.0.1", "--log-level=warning")
SHARES = list(range(4, 84, 4))
_numbers = itertools.count(1)


@dataclass
class Scene:
    """A service whose release has many steps ahead, and the machine that works for it."""

    life: Life
    machine: Machine
    folder: Path
    around: dict[Target, Mortal]
    web_port: int = field(default_factory=free_port)

    def begin(self, during: Operation) -> Step:
        """A plan run, or an approved apply run, of the next step: nobody has taken it."""
        step = self.life.step()
        step.step_runs.exclude(run__status=RunStatus.SUCCEEDED).delete()  # a step is given up after three
        if during is Operation.PLAN:
            with locked(step.service_id) as service:
                rollout.plan(service, selectors.get_step(step.pk), actor=SYSTEM, action="step.planned-again")
        else:
            approvals.start(step_id=step.pk, user=self.life.otto)
            run = selectors.get_step(step.pk).plan_run
            if not step.gate or run is None:
                return step
            shown = PlanIdentity(sha256=run.plan_sha256, changes_digest=run.changes_digest)
            approvals.approve(step_id=step.pk, user=self.life.mona, shown=shown)
        return step

    def kill(self, target: Target, point: Point) -> float:
        """Bring the step to the point, kill somebody there, and start again who was killed; gives when that was."""
        folder = self.folder / f"{next(_numbers)}"
        folder.mkdir()
        worker = self.machine.start("-m", "tests.stopping_worker", point.value, str(folder))
        # A whole apply may come before it, on a busy machine.
        child = psutil.Process(pid_in(folder / "at", seconds=AT_MOST_SECONDS))
        victim = self.around.get(target) or _victim(target, child)
        began = time.monotonic()
        victim.kill()
        if target is Target.PARENT:
            wait_for(lambda: is_gone(child.pid), "the system to end the child with its parent")
        (folder / "go").touch()
        if isinstance(victim, psutil.Process):
            self._replace(worker, target)
        else:
            victim.start()
            forget_connections()
        return began

    def _replace(self, worker: "subprocess.Popen[bytes]", target: Target) -> None:
        if target is Target.PARENT:
            worker.wait()
            begin_worker(self.machine)

    def goes_on(self, step: Step, during: Operation) -> None:
        """Wait until the step is where the run was to bring it."""
        wanted = StepStatus.WAITING if during is Operation.PLAN else StepStatus.DONE

        def is_there() -> bool:
            self.machine.start_again()
            return _status(step) == wanted and not _busy()

        try:
            wait_for(is_there, "the step", seconds=AT_MOST_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{selectors.get_step(step.pk).problem}\n{self.machine.log()}") from error

    def pages_answer(self) -> bool:
        """Whether the web process is there, and the database for it."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def end_workers(self) -> None:
        """All but the urgent one."""
        for process in self.machine.started[:]:
            program = program_of(process)
            if program == WORKER or "tests.stopping_worker" in program:
                self.machine.kill(process)


def _victim(target: Target, child: psutil.Process) -> psutil.Process:
    if target is Target.CHILD:
        return child
    if target is Target.PARENT:
        return psutil.Process(child.ppid())
    victim = child.children()[0]
    for _ in range({Target.LAUNCHER: 0, Target.TERRAFORM: 1, Target.PROVIDER: 2}[target]):
        wait_for(victim.children, f"{target} to be there")
        victim = victim.children()[0]
    return victim


def _status(step: Step) -> str:
    return Step.objects.values_list("status", flat=True).get(pk=step.pk)


def _busy() -> bool:
    return Run.objects.filter(status__in=[RunStatus.QUEUED, RunStatus.RUNNING]).exists()


@contextmanager
def crash_scene(
    folder: Path, sandbox: SandboxInfo, terraform_cli: TerraformCli, settings: Any, broker_url: str
) -> Iterator[Scene]:
    """A release with a gate before each of many shares, whose rotation is planned; states are in a bucket."""
    use_sandbox(sandbox, terraform_cli, settings, folder / "data")
    use_bucket(sandbox, settings)
    # As the machine's: a lease that is longer than one can be counts as one from before a clock was set back.
    settings.LEASE_SECONDS, settings.TERRAFORM_GRACE_SECONDS = LEASE_SECONDS, GRACE_SECONDS
    life = Life(sandbox=sandbox, service=setup.create_service(next_service(sandbox), actor=TESTS))
    life.work()
    gates = [f"shift-{share}" for share in SHARES]
    wanted = ReleaseRequest(tag="green", weights=SHARES, canary=False, extra_gates=gates)
    requests.request_release(service_id=life.service.pk, user=life.rita, wanted=wanted)
    life.work()
    life.service.refresh_from_db()
    with running_machine(folder / "machine", broker_url, programs=[URGENT_WORKER]) as machine:
        yield Scene(life, machine, folder, {Target.SCHEDULER: MortalProgram(machine, SCHEDULER)})


@contextmanager
def shift_scene(
    folder: Path, sandbox: SandboxInfo, terraform_cli: TerraformCli, settings: Any
) -> Iterator[Scene]:
    """As ``crash_scene``, with servers of its own and a web process; the rotation is done, the first share planned."""
    with (
        mortal_database(folder / "postgres") as database,
        mortal_broker(folder / "valkey") as (broker, broker_url),
        crash_scene(folder, sandbox, terraform_cli, settings, broker_url) as scene,
    ):
        scene.around |= {Target.DATABASE: database, Target.BROKER: broker}
        scene.around[Target.WEB] = MortalProgram(scene.machine, (*WEB, f"--port={scene.web_port}"))
        scene.life.go_on()
        scene.life.work()
        scene.life.service.refresh_from_db()
        yield scene


def use_bucket(sandbox: SandboxInfo, settings: Any) -> None:
    """Have states, plans and logs kept in a bucket of the test's own."""
    settings.STORAGE_BUCKET, settings.STORAGE_ACCOUNT_ID = make_bucket(sandbox), sandbox.account_id
    settings.STORAGE_REGION = sandbox.region


def next_service(sandbox: SandboxInfo) -> NewService:
    """A service of its own at the sandbox."""
    number = next(_numbers)
    return new_service(
        sandbox,
        f"crashes-{number}",
        priority=21_000 + 10 * number,
        settle_seconds=1,
        bake_seconds=0,
    )


@contextmanager
def rules_watched(scene: Scene) -> Iterator[list[tuple[int, ...]]]:
    """What the users' rule says, read again and again; each reading once."""
    seen: list[tuple[int, ...]] = []
    ended = threading.Event()
    elbv2, arn = client(scene.life.sandbox, "elbv2"), scene.life.service.traffic_rule_arn

    def watch() -> None:
        while not ended.wait(0.2):
            groups = elbv2.describe_rules(RuleArns=[arn])["Rules"][0]["Actions"][0]["ForwardConfig"][
                "TargetGroups"
            ]
            weights = tuple(sorted(group["Weight"] for group in groups))
            if weights not in seen:
                seen.append(weights)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()
