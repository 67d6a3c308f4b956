"""A model of one service and its release under any sequence of acts: whatever is legal keeps the invariants.

The rules say what is legal and what a state becomes; the model does what the services do with their answers.
"""

from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st

from releases.domain import release_acts
from releases.domain.access.decisions import Permission, Person
from releases.domain.any_weight import PlacedStep, lowers, set_share
from releases.domain.lifecycle import (
    ALLOWED_STEP,
    ENDED_STEP_STATUSES,
    OPEN_STATUSES,
    ReleaseStatus,
    StepStatus,
    check_release_change,
)
from releases.domain.release_acts import ReleaseFacts
from releases.domain.rollout_plan import Rotation, build_steps
from releases.domain.tests.states import NEXT, OLD, state
from releases.domain.traffic import (
    ROTATIONS,
    Color,
    TrafficState,
    Transition,
    changed_colors,
    initial_state,
    safe_color,
    target_state,
)

OPERATOR = Person(id="3", is_active=True, permissions=frozenset({Permission.OPERATE}))


@dataclass
class Stepping:
    """A step as the model changes it."""

    transition: Transition
    share: int
    gate: bool
    status: StepStatus = StepStatus.PENDING
    started: bool = False
    approved: bool = False

    @property
    def placed(self) -> PlacedStep:
        return PlacedStep(transition=self.transition, candidate_share=self.share, status=self.status)

    def become(self, status: StepStatus) -> None:
        assert status in ALLOWED_STEP[self.status]
        self.status = status


@dataclass
class Model:
    """What is recorded of a service in release, and whether anybody was sent to the new version without approval."""

    traffic: TrafficState
    steps: list[Stepping]
    status: ReleaseStatus = ReleaseStatus.OPEN
    sent: bool = False
    half_copied: bool = False
    seen: list[int] = field(default_factory=list)

    @property
    def left(self) -> list[Stepping]:
        if self.status not in OPEN_STATUSES:
            return []
        return [step for step in self.steps if step.status not in ENDED_STEP_STATUSES]

    @property
    def acting(self) -> Stepping | None:
        return next((step for step in self.left[:2] if step.status is not StepStatus.BAKING), None)

    def facts(self) -> ReleaseFacts:
        current, acting = next(iter(self.left), None), self.acting
        return ReleaseFacts(
            status=self.status,
            requested_by_id="1",
            share=self.traffic.candidate_share,
            current=current.placed if current else None,
            acting=acting.placed if acting else None,
            in_place=current is not None and current.transition not in ROTATIONS,
            somebody_was_sent=self.sent,
            apply_begun=self.half_copied,
        )

    def end(self, status: ReleaseStatus) -> None:
        check_release_change(self.status, status)
        for step in self.left:
            step.become(StepStatus.ABANDONED)
        self.status = status

    def take(self, act: str, number: int) -> None:
        rule = getattr(release_acts, f"may_{act}", None)
        arguments = (number,) if act == "set_share" else ()
        if self.left and (rule is None or rule(OPERATOR, self.facts(), *arguments)):
            getattr(self, act)(number)
        self.go_on(number)

    def pause(self, _: int) -> None:
        self.status = ReleaseStatus.PAUSED

    def resume(self, _: int) -> None:
        self.status = ReleaseStatus.OPEN

    def cancel(self, _: int) -> None:
        self.end(ReleaseStatus.CANCELLED)
        assert self.seen == []

    def retry(self, _: int) -> None:
        assert self.acting is not None
        self.acting.become(StepStatus.PLANNING)

    def skip(self, _: int) -> None:
        skipped = self.acting
        assert skipped is not None
        skipped.become(StepStatus.SKIPPED)
        if skipped.gate and self.acting:
            self.acting.gate = True

    def skip_bake(self, _: int) -> None:
        self.left[0].become(StepStatus.DONE)

    def start(self, _: int) -> None:
        if self.acting and self.status is ReleaseStatus.OPEN:
            self.acting.started = True

    def approve(self, _: int) -> None:
        if self.acting:
            self.acting.approved = self.acting.status is StepStatus.WAITING

    def set_share(self, share: int) -> None:
        changed = set_share([step.placed for step in self.steps], share, present=self.traffic.candidate_share)
        for step, status in zip(self.steps, changed.statuses, strict=True):
            if status is not step.status:
                step.become(status)
                step.approved = False
        if changed.asks_again is not None:
            self.steps[changed.asks_again].gate = True
        self.steps[changed.following].started = share == 100
        if share < 100:
            rises = share > self.traffic.candidate_share
            new = Stepping(transition=Transition.SHIFT, share=share, gate=rises, started=True)
            self.steps.insert(changed.following, new)

    def go_on(self, number: int) -> None:
        """Plan what is due; apply what may be; an apply fails at every seventh number."""
        for step in self.left[:2]:
            if step.status is StepStatus.PENDING and not self.is_held(step):
                step.become(StepStatus.PLANNING)
            if step.status is StepStatus.PLANNING:
                step.become(StepStatus.WAITING)
            if step.status is not StepStatus.BAKING:
                self.apply_if_ready(step, number)
                break
        if self.status in OPEN_STATUSES and not self.left:
            self.status = ReleaseStatus.PROMOTED

    def is_held(self, step: Stepping) -> bool:
        paused = self.status is ReleaseStatus.PAUSED
        return paused and not lowers(self.traffic, step.transition, step.share)

    def apply_if_ready(self, step: Stepping, number: int) -> None:
        is_current = step is self.left[0]
        ready = step.status is StepStatus.WAITING and step.started and (step.approved or not step.gate)
        if not is_current or not ready or self.is_held(step):
            return
        step.become(StepStatus.APPLYING)
        after = target_state(self.traffic, step.transition, version=NEXT, share=step.share)
        self.check_apply(step, after)
        copying = step.transition is Transition.ROTATE_STABLE
        if number % 7 == 0:
            self.half_copied = self.half_copied or copying
            step.become(StepStatus.FAILED)
            return
        self.half_copied = self.half_copied and not copying
        self.traffic = after
        step.become(StepStatus.BAKING if number % 3 == 0 else StepStatus.DONE)

    def check_apply(self, step: Stepping, after: TrafficState) -> None:
        for color in changed_colors(step.transition, self.traffic):
            assert not self.traffic.receives_traffic(color)
        if step.transition not in ROTATIONS:
            self.sent = True
            self.seen.append(after.candidate_share)
            rises = after.candidate_share > max([0, *self.seen[:-1]])
            assert not rises or any(one.gate and one.approved for one in self.steps)


ACTS = ["pause", "resume", "cancel", "retry", "skip", "skip_bake", "start", "approve", "set_share"]
begins = st.sampled_from([initial_state(OLD), initial_state(OLD, active_color=Color.GREEN), state(100)])
walks = st.lists(
    st.tuples(st.sampled_from([*ACTS, "start", "approve", "start", "approve"]), st.integers(0, 100)),
    max_size=40,
)


@given(begins, st.sampled_from(Rotation), st.booleans(), walks)
def test_whatever_is_legal_keeps_the_invariants(begin, rotation, canary, walk):
    planned = build_steps(begin, NEXT, weights=(10, 25, 50), rotation=rotation, canary=canary)
    steps = [
        Stepping(transition=step.transition, share=step.candidate_share, gate=step.gate) for step in planned
    ]
    model = Model(traffic=begin, steps=steps)
    model.go_on(1)
    for act, number in walk:
        model.take(act, number)
        traffic = model.traffic
        assert traffic.weight_of(Color.BLUE) + traffic.weight_of(Color.GREEN) == 100
        shares = [step.share for step in model.left if step.transition not in ROTATIONS]
        assert shares == sorted(shares) or lowers(traffic, model.left[0].transition, shares[0])
        safe = safe_color(traffic, stable_is_being_changed=model.half_copied)
        back = target_state(traffic, Transition.ROLLBACK, safe_color=safe)
        assert back.weight_of(safe) == 100
        assert not back.receives_traffic(safe.other)


@given(walks)
def test_no_walk_sends_anybody_to_the_new_version_without_an_approval(walk):
    planned = build_steps(initial_state(OLD), NEXT, weights=(10, 25, 50))
    steps = [
        Stepping(transition=step.transition, share=step.candidate_share, gate=step.gate) for step in planned
    ]
    model = Model(traffic=initial_state(OLD), steps=steps)
    for act, number in walk:
        if act != "approve":
            model.take(act, number)
    assert model.seen == []
    assert model.traffic == replace(model.traffic, green_weight=0, activate_canary=False)
