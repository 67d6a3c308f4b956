"""What holds after each act, whatever came before, as far as database and the stand-in of AWS can show it."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from audit.models import AuditEvent
from releases import selectors
from releases.domain.lifecycle import ALLOWED_RELEASE, ALLOWED_STEP, OPEN_STATUSES, ReleaseStatus, StepStatus
from releases.domain.traffic import NOBODY, Color
from releases.models import Decision, Release, Service, Step
from releases.services.approval.gate import requester_ids
from releases.services.tests.world import World
from terraform_runner.domain.results import Applied, Planned
from terraform_runner.domain.runs import RunStatus
from terraform_runner.models import Run

SETTLE_SECONDS = 60
WAITS_FOR_SOMETHING = frozenset(StepStatus) - {StepStatus.PLANNING, StepStatus.APPLYING}


class Witness:
    """Sees what Terraform is given and does: nothing is applied that was not planned, approved, settled and is current.

    ``clock`` gives the seconds that have passed; ``planned`` is what each plan, by its digest, leads to.
    """

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        self._world, self._clock = world, clock
        self._planned: dict[str, Mapping[str, Any]] = {}
        self._applied: set[str] = set()
        self._served_until = dict.fromkeys(Color, float("-inf"))

    def plan(self, **given: Any) -> Planned:
        """In Terraform's place."""
        made = self._world.plan(**given)
        self._planned[made.plan_sha256] = given["workspace"].variables
        return made

    def apply(self, **given: Any) -> Applied:
        """In Terraform's place."""
        checked = given.pop("before_apply")

        def check(plan: Any) -> None:
            checked(plan)
            self._check_begin(given["run_id"], given["plan_sha256"], given["workspace"].variables)

        return self._world.apply(before_apply=check, **given)

    def look(self) -> None:
        """Who is served at this moment."""
        self._served_until.update(dict.fromkeys(served(self._world), self._clock()))

    def _check_begin(self, run_id: Any, sha256: str, variables: Mapping[str, Any]) -> None:
        run = Run.objects.get(pk=run_id)
        step, plan_run = selectors.step_of_run(run), selectors.plan_run_of(run)
        assert sha256 == plan_run.plan_sha256
        assert variables == self._planned[sha256]
        assert sha256 not in self._applied, "a plan is applied once"
        self._applied.add(sha256)
        assert plan_run.plan_used_at is not None
        assert step.epoch == step.service.epoch, "no plan is applied from before an emergency"
        self._check_functions(step.service, variables)
        if step.gate:
            _check_approved(step, plan_run)

    def _check_functions(self, service: Service, variables: Mapping[str, Any]) -> None:
        self.look()
        for color in self._changed(variables):
            quiet = self._clock() - self._served_until[color]
            assert quiet >= SETTLE_SECONDS, f"{color} had users {quiet:.0f} s ago"
            assert color != service.safe_color

    def _changed(self, variables: Mapping[str, Any]) -> set[Color]:
        wanted = {
            color: (variables[f"{color}_image"].partition("@")[2], variables[f"{color}_config"])
            for color in self._world.functions
            if variables
        }
        return {color for color in wanted if self._world.functions[color].latest != wanted[color]}


def _check_approved(step: Step, plan_run: Run) -> None:
    approvals = step.approvals.filter(
        decision=Decision.APPROVED, changes_digest=plan_run.changes_digest, epoch=step.epoch
    )
    approvers = approvals.filter(decided_by__is_active=True).values_list("decided_by_id", flat=True)
    assert set(map(str, approvers)) - requester_ids(step), "somebody else has approved these changes"


def served(world: World) -> set[Color]:
    """The colours that anybody is sent to at this moment, by weight or by canary."""
    on = [arn for arn, sources in world.sources.items() if sources != {NOBODY}]
    rules = [world.weights[arn] for arn in ("arn:rule/traffic", *on)]
    return {color for color in Color for weights in rules if weights[f"arn:group/{color}"]}


class Trail:
    """The trail so far: every status that anything has, and has had, is in it, and follows the one before.

    Events are only ever added, so that each is looked at once.
    """

    def __init__(self) -> None:
        self._last = UUID(int=0)
        self._presses = 0
        self._steps: dict[str, str] = {}
        self._releases: dict[str, str] = {}

    def check(self) -> None:
        """What was added, and that nothing has changed without it."""
        for event in AuditEvent.objects.filter(pk__gt=self._last).order_by("pk"):
            self._last = event.pk
            self._presses += event.action == "rollback.pressed"
            if "status" in event.after:
                self._check(event, event.before.get("status"), event.after["status"])
        for step_id, status in Step.objects.values_list("pk", "status"):
            assert self._steps.get(str(step_id), StepStatus.PENDING) == status
        for release_id, status in Release.objects.values_list("pk", "status"):
            assert self._releases.get(str(release_id), ReleaseStatus.OPEN) == status
        assert Service.objects.get().epoch == self._presses

    def _check(self, event: AuditEvent, old: str | None, new: str) -> None:
        if event.action.startswith("release."):
            assert old is None or ReleaseStatus(new) in ALLOWED_RELEASE[ReleaseStatus(old)]
            assert self._releases.get(event.subject["release"], old) == old
            self._releases[event.subject["release"]] = new
        else:
            assert old is not None
            assert StepStatus(new) in ALLOWED_STEP[StepStatus(old)]
            assert self._steps.get(event.subject["step"], StepStatus.PENDING) == old
            self._steps[event.subject["step"]] = new


def check_always(world: World, trail: Trail) -> None:
    """At each moment."""
    for weights in world.weights.values():
        assert sum(weights.values()) == 100
    assert Run.objects.filter(status=RunStatus.RUNNING).count() <= 1
    assert Release.objects.filter(status__in=OPEN_STATUSES).count() <= 1
    for release_id, positions in _positions().items():
        assert sorted(positions) == list(range(len(positions))), release_id
    trail.check()


def _positions() -> dict[Any, list[int]]:
    """Those of each release's steps."""
    found: dict[Any, list[int]] = defaultdict(list)
    for release_id, position in Step.objects.exclude(release=None).values_list("release", "position"):
        found[release_id].append(position)
    return found


def check_at_rest(world: World) -> None:
    """When time has passed and nothing has gone on by itself: it is as recorded, or waits for somebody and says so."""
    service = Service.objects.get()
    assert not Run.objects.filter(status__in=[RunStatus.QUEUED, RunStatus.RUNNING]).exists()
    unfinished = list(selectors.unfinished_steps(service))
    assert {StepStatus(step.status) for step in unfinished} <= WAITS_FOR_SOMETHING
    if not unfinished and not world.is_gone:
        assert service.green_weight == world.green_weight()
        assert served(world) == {color for color in Color if service.state.receives_traffic(color)}
