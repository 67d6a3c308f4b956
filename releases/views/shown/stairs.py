"""A release's steps as a staircase; a rotation's parts are one stair, as they are one thing to people."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from releases.domain.approval.gate_policy import Policy, gate_of
from releases.domain.lifecycle import StepStatus
from releases.domain.traffic import ROTATIONS, Transition
from releases.models import Step
from releases.views.shown.words import Status, Tone, step_status, step_title

HEIGHT = 48
LOWEST = 4


@dataclass(frozen=True, kw_only=True)
class Part:
    """One step."""

    step: Step
    title: str
    status: Status


@dataclass(frozen=True, kw_only=True)
class Stair:
    """One step, or the parts of a rotation; ``share`` is the candidate's, which is its height."""

    title: str
    share: int
    status: Status
    gate: bool
    automatic: bool
    by_hand: bool
    parts: tuple[Part, ...]
    is_shown: bool

    @property
    def step(self) -> Step:
        """The step that the stair leads to: of a rotation the part that is going on."""
        unfinished = (part.step for part in self.parts if part.step.status != StepStatus.DONE)
        return next(unfinished, self.parts[-1].step)

    @property
    def height(self) -> int:
        """In pixels."""
        return LOWEST + (HEIGHT - LOWEST) * self.share // 100

    @property
    def top(self) -> int:
        """From the top of the picture, in pixels."""
        return HEIGHT - self.height


def stairs(steps: Sequence[Step], shown: Step | None, policy: Policy) -> list[Stair]:
    """The staircase of a release; ``shown`` is the step that the page tells about."""
    groups = groupby(steps, lambda step: "rotation" if step.transition in ROTATIONS else str(step.pk))
    return [_stair(tuple(group), shown, policy) for _, group in groups]


def _stair(steps: tuple[Step, ...], shown: Step | None, policy: Policy) -> Stair:
    parts = tuple(
        Part(step=step, title=step_title(step).removeprefix("Rotate: "), status=step_status(step))
        for step in steps
    )
    last = steps[-1]
    return Stair(
        title="Rotate" if last.transition in ROTATIONS else step_title(last).removeprefix("Shift to "),
        share=last.candidate_share,
        status=_together(parts),
        gate=_has_gate(last, policy),
        automatic=last.automatic,
        by_hand=last.requested_by_id is not None,
        parts=parts,
        is_shown=shown is not None and shown in steps,
    )


def _has_gate(step: Step, policy: Policy) -> bool:
    gate = gate_of(Transition(step.transition))
    if gate is None or step.requested_by_id is not None:
        return step.gate
    return policy.needs_approval(gate, planned=step.gate)


def _together(parts: tuple[Part, ...]) -> Status:
    unfinished = [part for part in parts if part.status.tone is not Tone.OK]
    if len(parts) == 1 or not unfinished:
        return parts[-1].status
    done = len(parts) - len(unfinished)
    going_on = unfinished[0].status
    if going_on.tone is Tone.IDLE and done == 0:
        return going_on
    return Status(word=f"{going_on.word} {done + 1}/{len(parts)}", tone=going_on.tone)
