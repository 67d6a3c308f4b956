"""The words for steps and their statuses, and the tone in which a page says them."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.domain.step_titles import title_of
from releases.domain.traffic import ROTATIONS, Transition
from releases.models import Release, Step


class Tone(StrEnum):
    """How a status is said: each has a colour and a shape of its own, since colour alone tells too few."""

    BAD = "bad"
    WARN = "warn"
    GO = "go"
    OK = "ok"
    IDLE = "idle"

    @property
    def sign(self) -> str:
        """The shape."""
        return {"bad": "✕", "warn": "!", "go": "▸", "ok": "✓", "idle": "·"}[self.value]


@dataclass(frozen=True, kw_only=True)
class Status:
    """A word in its tone."""

    word: str
    tone: Tone


_STEPS = {
    StepStatus.PENDING: ("to come", Tone.IDLE),
    StepStatus.PLANNING: ("planning", Tone.GO),
    StepStatus.WAITING: ("waiting", Tone.WARN),
    StepStatus.APPLYING: ("applying", Tone.GO),
    StepStatus.BAKING: ("baking", Tone.GO),
    StepStatus.DONE: ("done", Tone.OK),
    StepStatus.FAILED: ("failed", Tone.BAD),
    StepStatus.REJECTED: ("rejected", Tone.BAD),
    StepStatus.SKIPPED: ("skipped", Tone.IDLE),
    StepStatus.ABANDONED: ("ended", Tone.IDLE),
}
_RELEASES = {
    ReleaseStatus.OPEN: ("in progress", Tone.GO),
    ReleaseStatus.PAUSED: ("paused", Tone.WARN),
    ReleaseStatus.PROMOTED: ("promoted", Tone.OK),
    ReleaseStatus.ROLLED_BACK: ("rolled back", Tone.WARN),
    ReleaseStatus.REJECTED: ("rejected", Tone.BAD),
    ReleaseStatus.CANCELLED: ("cancelled", Tone.IDLE),
}
_MEANINGS = {
    Transition.SET_UP: "Creates both functions and their rules.",
    Transition.ROTATE_STABLE: "Copies the promoted version to the stable function, which has no traffic.",
    Transition.ROTATE_TRAFFIC: "Moves everyone to the same version on the stable colour.",
    Transition.SWAP_COLORS: "Makes the colour that everyone uses the stable one; no user is moved.",
    Transition.ROTATE_CANDIDATE: "Puts the new version into the candidate's function, which has no traffic.",
    Transition.CANARY: "Sends only the whitelisted addresses to the new version.",
    Transition.PROMOTE: "Sends everyone to the new version; the old one stays as it is.",
    Transition.ROLLBACK: "Brings Terraform to what the emergency button has done.",
    Transition.SETTINGS: "Changes the service's settings; nobody is sent elsewhere, and no function is changed.",
    Transition.REMOVE: "Destroys everything that the service has at AWS.",
}
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def age_in_words(age: timedelta) -> str:
    """An age in its greatest unit: "4 min ago", "in 20 s", "just now"."""
    seconds = int(age.total_seconds())
    if -2 < seconds < 2:
        return "just now"
    size, unit = next((size, unit) for size, unit in _UNITS if abs(seconds) >= size)
    amount = abs(seconds) // size
    return f"{amount} {unit} ago" if seconds > 0 else f"in {amount} {unit}"


def step_status(step: Step) -> Status:
    """A step's status."""
    word, tone = _STEPS[StepStatus(step.status)]
    return Status(word=word, tone=tone)


def release_status(release: Release) -> Status:
    """A release's status."""
    word, tone = _RELEASES[ReleaseStatus(release.status)]
    return Status(word=word, tone=tone)


def step_title(step: Step) -> str:
    """A step's name: "Canary", "Shift to 25 %"."""
    return title_of(Transition(step.transition), step.candidate_share)


def start_words(step: Step) -> str:
    """What the button that starts a step begins: a rotation's parts start together."""
    if step.transition in ROTATIONS:
        return "the rotation"
    return "the promotion" if step.transition == Transition.PROMOTE else f"the {step_title(step).lower()}"


def step_meaning(step: Step) -> str:
    """What a step is for, for as long as it has no plan to tell it from."""
    if step.transition == Transition.SHIFT:
        return f"Sends {step.candidate_share} % of the users to the new version."
    return _MEANINGS[Transition(step.transition)]


def consequence(step: Step) -> str:
    """What applying a step does, for the words of a button."""
    name = step.release.tag if step.release and step.release.tag else "the new version"
    if step.transition == Transition.SHIFT:
        return f"sends {step.candidate_share} % of users to {name}"
    return {
        Transition.CANARY.value: f"sends the canary to {name}",
        Transition.PROMOTE.value: f"sends everyone to {name}",
    }.get(step.transition, f"puts {name} in place; no user changes version")


def first_line(problem: str) -> str:
    """The beginning of a problem, for lists."""
    return problem.strip().partition("\n")[0][:160]
