"""A real ``terraform apply`` of an approved shift in flight, again and again, and the button that is pressed meanwhile.

Getting there takes a minute, so that is done once: before each press the database, the state and the rules are taken
back to the moment when the plan waits for its start and its approval.
"""

import shutil
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections
from django.test import Client

from aws import load_balancer
from infra.local.tests.waiting import wait_for
from infra.sandbox.tests.service import client
from releases import selectors
from releases.domain.approval.approval_policy import PlanIdentity
from releases.domain.lifecycle import StepStatus
from releases.domain.traffic import Color, Transition
from releases.services import rollout
from releases.services.approval import approvals
from releases.services.execution import recovery, runs, storage
from releases.services.execution.accounts import access
from releases.services.lifecycle import locked
from releases.services.rollback.watchman import Watchman
from releases.tests.factories import ReleaseFactory, StepFactory
from terraform_runner.claims import worker_name
from terraform_runner.domain.runs import RunStatus
from terraform_runner.models import Run
from tests import rewinding
from tests.life import Life

BEFORE, AFTER = 25, 50
GIVE_UP_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Pressed:
    """Seconds: until the users were back, until the page answered, and for how long they were away again."""

    back: float
    answered: float
    moved: float


@dataclass
class Scene:
    """A quarter of the users is on green; the plan that sends half of them there is made."""

    life: Life
    data: Path
    bucket: str
    browser: Client = field(default_factory=Client)
    state: dict[str, bytes] = field(default_factory=dict)
    weights: dict[str, dict[str, int]] = field(default_factory=dict)

    def get_there(self) -> None:
        """Make the release, and remember this moment."""
        release = ReleaseFactory.create(
            service=self.life.service,
            image=self.life.service.green_image,
            tag="blue",
            requested_by=self.life.rita,
        )
        for position, share in enumerate((BEFORE, AFTER)):
            StepFactory.create(
                release=release,
                transition=Transition.SHIFT.value,
                candidate_share=share,
                gate=share == AFTER,
                position=position,
            )
        with locked(self.life.service.pk) as service:
            rollout.advance(service)
        self.life.go_on()
        self.life.work()
        assert self.life.step().status == StepStatus.WAITING, self.life.step().problem
        self.life.service.refresh_from_db()
        self.browser.force_login(self.life.otto)
        rewinding.keep()
        kept = self.kept_state
        self.state = {name: kept.get(name) or b"" for name in kept.names()}
        self.weights = {arn: dict(rule.weights) for arn, rule in self._rules().items()}

    def rewind(self) -> None:
        """Go back to that moment."""
        rewinding.rewind()
        kept = self.kept_state
        for name in [*kept.names()]:
            kept.remove(name)
        for name, content in self.state.items():
            kept.put(name, content)
        for name in [*storage.unsaved_states().names()]:
            storage.unsaved_states().remove(name)
        for folder in ("presses", "terraform/working"):
            shutil.rmtree(settings.DATA_DIR / folder, ignore_errors=True)
        self.put_back()

    def put_back(self) -> None:
        """Send everybody by hand to where they were at that moment."""
        for arn, weights in self.weights.items():
            load_balancer.set_weights(access(self.life.service), arn, weights)

    def is_where_it_was(self) -> bool:
        """Whether everybody is sent to where they were at that moment."""
        return {arn: dict(rule.weights) for arn, rule in self._rules().items()} == self.weights

    def begin(self) -> Run:
        """Start and approve: gives the apply that is queued then."""
        step = self.life.step()
        assert step.plan_run is not None
        shown = PlanIdentity(sha256=step.plan_run.plan_sha256, changes_digest=step.plan_run.changes_digest)
        approvals.start(step_id=step.pk, user=self.life.otto)
        approvals.approve(step_id=step.pk, user=self.life.mona, shown=shown)
        return Run.objects.get(operation="apply", status=RunStatus.QUEUED)

    def press(self) -> tuple[float, float]:
        """Press on the button's page: seconds until the users are back, and until it answers."""
        with ThreadPoolExecutor(1) as looking:
            began = time.monotonic()
            back = looking.submit(self.seconds_until_back, began)
            answer = self.browser.post(f"/services/{self.life.service.name}/rollback/")
            answered = time.monotonic() - began
            assert answer.status_code == 302, answer.content.decode()
            assert self.browser.get(answer["Location"]).status_code == 200
            return back.result(), answered

    def seconds_until_back(self, began: float) -> float:
        """Since then, as somebody sees it who reads the users' rule without Bluegreen."""
        asked = client(self.life.sandbox, "elbv2")
        wait_for(lambda: self._is_back(asked), "the users to be back")
        return time.monotonic() - began

    def longest_away(self, *, seconds: float) -> float:
        """For how long at a stretch anybody was sent elsewhere within this time: from one look to the other."""
        asked = client(self.life.sandbox, "elbv2")
        until, since, longest = time.monotonic() + seconds, 0.0, 0.0
        while time.monotonic() < until or since:
            is_back, moment = self._is_back(asked), time.monotonic()
            longest = max(longest, moment - since if since else 0.0)
            since = 0.0 if is_back else since or moment
            assert longest < GIVE_UP_SECONDS, "the users were sent elsewhere, and stay there"
            time.sleep(0.01)
        return longest

    def is_recorded(self) -> bool:
        """Whether the database knows of the press, and that it has brought the users back."""
        rollback = selectors.last_rollback(self.life.service)
        return rollback is not None and rollback.traffic_back_at is not None

    def settle(self) -> None:
        """Until Terraform agrees, or says why not."""

        def has_ended() -> bool:
            recovery.sweep()
            self.life.work()
            rollback = selectors.last_rollback(self.life.service)
            return rollback is not None and rollback.converge.status in {StepStatus.DONE, StepStatus.FAILED}

        with watching():
            wait_for(has_ended, "Terraform to agree", seconds=240)

    @property
    def kept_state(self) -> Any:
        """The folder of the service's state."""
        return storage.objects(f"state/{self.life.service.pk}")

    def _rules(self) -> dict[str, load_balancer.Rule]:
        service = self.life.service
        return load_balancer.read_rules(access(service), list(service.rule_arns.values()))

    def _is_back(self, elbv2: Any) -> bool:
        service = self.life.service
        (rule,) = elbv2.describe_rules(RuleArns=[service.traffic_rule_arn])["Rules"]
        groups = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
        weights = {group["TargetGroupArn"]: group["Weight"] for group in groups}
        return weights == {
            service.target_group_arn(Color.BLUE): 100,
            service.target_group_arn(Color.GREEN): 0,
        }


@contextmanager
def watching() -> Iterator[None]:
    """The thread that each web and worker process has."""
    watchman = Watchman(worker_name())
    watchman.start()
    try:
        yield
    finally:
        watchman.stop()


@contextmanager
def applying(run: Run) -> Iterator[None]:
    """A worker that executes this run meanwhile."""

    def work() -> None:
        runs.execute(run.pk, worker=worker_name())
        connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        worker.join()


def in_words(presses: Sequence[Pressed]) -> str:
    """The figures of some presses, for the test's output."""
    names = {"back": "users back", "answered": "page answered", "moved": "away again"}
    found = {words: [getattr(one, name) for one in presses] for name, words in names.items()}
    figures = [
        f"{words} p50 {statistics.median(all_):.3f} s, max {max(all_):.3f} s" for words, all_ in found.items()
    ]
    return f"{len(presses)} presses: {'; '.join(figures)}"
