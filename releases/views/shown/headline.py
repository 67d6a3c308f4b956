"""Where a release stands, in a word and a sentence, and what it waits for."""

from dataclasses import dataclass
from datetime import datetime

from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.models import Release, Step
from releases.services.approval.gate import Gate
from releases.views.shown.waiting import Waiting
from releases.views.shown.words import Tone, step_title


@dataclass(frozen=True, kw_only=True)
class Headline:
    """``since`` is when that began; ``until`` when it is over, where that is known."""

    word: str
    text: str
    tone: Tone
    since: datetime | None = None
    until: datetime | None = None


def headline(
    release: Release,
    step: Step | None,
    gate: Gate | None,
    *,
    settled_at: datetime | None = None,
    waiting: Waiting | None = None,
) -> Headline:
    """The headline of a release that is at ``step`` with its ``gate``, whose run may be ``waiting`` for a worker."""
    if not release.is_open:
        return _ended(release)
    if step is None:
        return Headline(word="Finishing", text="All steps are done.", tone=Tone.GO)
    present = _for_a_worker(waiting) if waiting else _frozen(step, gate) or _open(step, gate, settled_at)
    return _paused(release, present) if release.is_paused and present.tone is not Tone.BAD else present


def _for_a_worker(waiting: Waiting) -> Headline:
    return Headline(word="Waiting for a worker", text=waiting.text, tone=waiting.tone)


def _frozen(step: Step, gate: Gate | None) -> Headline | None:
    """What is ready but for a freeze; approvals may be given meanwhile."""
    if gate is None or gate.of_request or gate.frozen is None:
        return None
    waits = "" if gate.is_open else f" It waits for somebody to approve it, too, {gate.words}."
    text = f"{step_title(step)} is planned. {gate.frozen}{waits}"
    return Headline(word="Frozen", text=text, tone=Tone.WARN, until=gate.frozen.until)


def _ended(release: Release) -> Headline:
    name = release.tag or "the new version"
    word, text, tone = {
        ReleaseStatus.PROMOTED.value: ("Promoted", f"Everyone has {name}.", Tone.OK),
        ReleaseStatus.ROLLED_BACK.value: ("Rolled back", f"Nobody has {name} any more.", Tone.WARN),
        ReleaseStatus.REJECTED.value: (
            "Rejected",
            "It ended at a gate; nobody is on it.",
            Tone.BAD,
        ),
        ReleaseStatus.CANCELLED.value: ("Cancelled", "Nobody had been sent to it.", Tone.IDLE),
    }[release.status]
    return Headline(word=word, text=text, tone=tone, since=release.ended_at)


def _paused(release: Release, present: Headline) -> Headline:
    text = f"Nothing begins until somebody resumes it. {present.text}"
    return Headline(word="Paused", text=text, tone=Tone.WARN, since=release.paused_at, until=present.until)


def _open(step: Step, gate: Gate | None, settled_at: datetime | None) -> Headline:
    title = step_title(step)
    status = StepStatus(step.status)
    if gate and gate.of_request:
        text = f"The request waits for somebody to approve it, {gate.words}. Nothing begins before."
        return Headline(word="Waiting for approval", text=text, tone=Tone.WARN, since=step.asked_at)
    if status is StepStatus.WAITING:
        return _waiting(step, title, gate)
    if status is StepStatus.BAKING:
        text = f"{title} is applied and verified; its bake time runs."
        return Headline(word="Baking", text=text, tone=Tone.GO, until=step.bake_until)
    if status is StepStatus.PENDING:
        return Headline(word="Next", text=f"{title} is planned soon.", tone=Tone.GO, until=settled_at)
    word, text, tone = {
        StepStatus.PLANNING: ("Planning", f"Terraform makes the plan for: {title}.", Tone.GO),
        StepStatus.APPLYING: ("Applying", f"Terraform applies: {title}.", Tone.GO),
        StepStatus.FAILED: ("Failed", f"{title} failed.", Tone.BAD),
        StepStatus.REJECTED: (
            "Rejected",
            f"{title} was rejected. Ask again, skip it, or roll back to end the release.",
            Tone.BAD,
        ),
    }[status]
    return Headline(word=word, text=text, tone=tone)


def _waiting(step: Step, title: str, gate: Gate | None) -> Headline:
    since = step.plan_run.ended_at if step.plan_run else None
    if gate and not gate.is_open:
        started = " It goes on at once then: it is started." if step.started_at else ""
        started = " It starts by itself then." if step.automatic and not started else started
        text = f"{title} waits for somebody to approve its plan, {gate.words}.{started}"
        return Headline(word="Waiting for approval", text=text, tone=Tone.WARN, since=since)
    if step.started_at is None and not step.automatic:
        text = f"{title} waits for an operator to start it."
        return Headline(word="Waiting for the start", text=text, tone=Tone.WARN, since=since)
    return Headline(word="Going on", text=f"{title} is about to be applied.", tone=Tone.GO)
