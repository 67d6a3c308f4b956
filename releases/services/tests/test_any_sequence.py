"""Any sequence of acts, failures and bakes, by the real services on the real database: the invariants hold after each.

Terraform and AWS are the stand-ins of ``world``; each example is one transaction that is taken back.
"""

from contextlib import suppress
from copy import deepcopy
from typing import Any, Never
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from audit.models import AuditEvent
from releases import selectors
from releases.domain.approval_policy import PlanIdentity
from releases.domain.errors import DomainError
from releases.domain.lifecycle import ALLOWED_RELEASE, ALLOWED_STEP, OPEN_STATUSES, ReleaseStatus, StepStatus
from releases.domain.traffic import NOBODY, Color
from releases.models import Release, Service, Step
from releases.services import approvals, canary_addresses, facts, gates, recovery, release_acts, shares
from releases.services.errors import ActRefused
from releases.services.tests.world import World
from terraform_runner import executor
from terraform_runner.domain.results import Applied
from terraform_runner.errors import StateLocked, TerraformFailed

ACTS = [
    "request", "start", "approve", "reject", "pause", "resume", "retry", "skip", "skip_bake", "cancel",
    "set_share", "add_address", "roll_back", "bake", "fail_a_plan", "fail_an_apply",
]  # fmt: skip
# What most walks need to get anywhere comes more often.
OFTEN = ["start", "approve", "set_share", "bake", "request"]
sequences = st.lists(
    st.tuples(st.sampled_from(ACTS + OFTEN * 2), st.integers(0, 100)), min_size=5, max_size=25
)


class Walk:
    """One service on its way: each method is an act that may be refused."""

    def __init__(self, life: Any) -> None:
        self.life, self.world = life, life.world

    def take(self, act: str, number: int) -> None:
        with suppress(DomainError):
            getattr(self, act)(number)
            self.world.work()
        if not act.startswith("fail"):
            self.world.plan_fails = self.world.apply_fails = None

    def request(self, number: int) -> None:
        automatic = ["rotation", "shift-50"] if number % 3 == 0 else []
        self.life.request(
            f"v{2 + number % 3}", canary=number % 2 == 0, bake_seconds=number % 5, automatic=automatic
        )

    def start(self, _: int) -> None:
        approvals.start(step_id=self._acting().pk, user=self.life.operator)

    def approve(self, _: int) -> None:
        approvals.approve(**self._shown(), user=self.life.manager)

    def reject(self, number: int) -> None:
        if number < 20:
            approvals.reject(**self._shown(), user=self.life.manager, comment="not today")

    def pause(self, _: int) -> None:
        release_acts.pause(release_id=self._release(), user=self.life.operator)

    def resume(self, _: int) -> None:
        release_acts.resume(release_id=self._release(), user=self.life.operator)

    def cancel(self, number: int) -> None:
        if number < 30:
            release_acts.cancel(release_id=self._release(), user=self.life.operator)

    def set_share(self, number: int) -> None:
        shares.set_share(release_id=self._release(), share=number, user=self.life.operator)

    def add_address(self, number: int) -> None:
        canary_addresses.add_address(
            release_id=self._release(), address=f"198.51.100.{number}", user=self.life.operator
        )

    def retry(self, _: int) -> None:
        release_acts.retry(step_id=self._acting().pk, user=self.life.operator)

    def skip(self, _: int) -> None:
        release_acts.skip(step_id=self._acting().pk, user=self.life.operator)

    def skip_bake(self, _: int) -> None:
        step = selectors.current_step(self.life.service) or self._acting()
        release_acts.skip_bake(step_id=step.pk, user=self.life.operator)

    def roll_back(self, number: int) -> None:
        if number < 30:
            self.press()

    def press(self, _: int = 0) -> None:
        self.life.roll_back()

    def bake(self, _: int) -> None:
        Step.objects.filter(status=StepStatus.BAKING).update(bake_until=timezone.now())
        recovery.sweep()

    def fail_a_plan(self, _: int) -> None:
        self.world.plan_fails = StateLocked("locked", who="ana", since="", operation="")

    def fail_an_apply(self, _: int) -> None:
        self.world.apply_fails = TerraformFailed("AccessDenied")

    def _release(self) -> UUID:
        release = Release.objects.order_by("-number").first()
        return release.pk if release else _refused()

    def _acting(self) -> Step:
        return facts.acting_step(self.life.service) or _refused()

    def _shown(self) -> dict[str, Any]:
        step = self._acting()
        run = step.plan_run or _refused()
        shown = PlanIdentity(sha256=run.plan_sha256, changes_digest=run.changes_digest)
        return {"step_id": step.pk, "shown": shown}


def _refused() -> Never:
    raise ActRefused("walk:nothing-there", "There is nothing to do that with.")


def check_invariants(world: World) -> None:
    """What holds after each act, whatever came before."""
    service = Service.objects.get()
    for weights in world.weights.values():
        assert sum(weights.values()) == 100
    assert service.green_weight == world.green_weight()
    assert Release.objects.filter(status__in=OPEN_STATUSES).count() <= 1
    assert Step.objects.filter(status=StepStatus.APPLYING).count() == 0
    for release in Release.objects.all():
        positions = list(release.steps.order_by("position").values_list("position", flat=True))
        assert positions == list(range(len(positions)))


def check_trail() -> None:
    """Statuses have changed by the tables alone, and nobody was sent further without the approval of somebody else."""
    for change in AuditEvent.objects.all():
        old, new = change.before.get("status"), change.after.get("status")
        if old is None or new is None:
            continue
        if change.action.startswith("release."):
            assert ReleaseStatus(new) in ALLOWED_RELEASE[ReleaseStatus(old)]
        else:
            assert StepStatus(new) in ALLOWED_STEP[StepStatus(old)]
    for step in Step.objects.filter(gate=True, apply_run__isnull=False, release__isnull=False):
        approvers = step.approvals.filter(decision="approved").values_list("decided_by_id", flat=True)
        assert set(map(str, approvers)) - gates.requester_ids(step)


def served(world: World) -> set[Color]:
    """The colours that anybody is sent to at this moment, by weight or by canary."""
    on = [arn for arn, sources in world.sources.items() if sources != {NOBODY}]
    rules = [world.weights[arn] for arn in ("arn:rule/traffic", *on)]
    return {color for color in Color for weights in rules if weights[f"arn:group/{color}"]}


@pytest.fixture
def _functions_are_guarded(life, monkeypatch):
    """No apply changes a function that anybody is sent to (invariant 2)."""

    def apply(**given: Any) -> Applied:
        before, busy = life.world._versions(), served(life.world)
        applied = life.world.apply(**given)
        changed = {color for color, digest in life.world._versions().items() if digest != before[color]}
        assert not changed & busy
        return applied

    monkeypatch.setattr(executor, "apply", apply)


@pytest.mark.usefixtures("_functions_are_guarded")
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.integers(0, 100), sequences)
def test_the_invariants_hold_after_any_sequence_and_one_press_leads_to_the_safe_colour(life, first, sequence):
    kept = deepcopy(life.world.__dict__)
    try:
        with transaction.atomic():
            walk = Walk(life)
            # In place, and at its first gate: from there most acts are possible.
            for act, number in [("request", first), ("start", 0), *sequence]:
                walk.take(act, number)
                check_invariants(life.world)
            check_trail()
            event(f"statuses of steps: {sorted(set(Step.objects.values_list('status', flat=True)))}")
            safe = Color(Service.objects.get().safe_color)
            walk.take("press", 0)
            assert life.world.green_weight() == (100 if safe is Color.GREEN else 0)
            assert not Release.objects.filter(status__in=OPEN_STATUSES).exists()
            transaction.set_rollback(True)
    finally:
        life.world.__dict__.clear()
        life.world.__dict__.update(kept)
        life.service.refresh_from_db()
