"""The acts that change a release's course, as its page offers them: the button's words and address, or why not."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse

from releases.domain.access.decisions import Decision, Refused
from releases.domain.acts import Act
from releases.domain.lifecycle import StepStatus
from releases.models import Release, Step
from releases.views.shown.words import step_title


@dataclass(frozen=True, kw_only=True)
class ActShown:
    """``why`` is empty where the act is possible; ``help`` says then what comes of it."""

    id: str
    label: str
    address: str
    help: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Course:
    """``retry`` is there when something failed; ``refused`` where this person may do nothing of it all."""

    retry: ActShown | None
    acts: tuple[ActShown, ...]
    share: ActShown
    address: ActShown
    refused: str


def course(
    release: Release, current: Step | None, acting: Step | None, answers: Mapping[str, Decision]
) -> Course:
    """What can be done with a release beside deciding and starting."""
    offers = _Offers(release=release, answers=answers)
    failed = acting is not None and acting.status in {StepStatus.FAILED, StepStatus.REJECTED}
    offered = (
        offers.pause_or_resume(),
        offers.skip_bake(current) if current and current.status == StepStatus.BAKING else None,
        offers.skip(acting) if acting else None,
        offers.cancel(),
    )
    acts = tuple(act for act in offered if act)
    return Course(
        retry=offers.retry(acting) if failed and acting else None,
        acts=acts,
        share=offers.share(),
        address=offers.address(),
        refused=_refused_altogether(answers),
    )


@dataclass(frozen=True, kw_only=True)
class _Offers:
    release: Release
    answers: Mapping[str, Decision]

    def pause_or_resume(self) -> ActShown:
        if self.release.is_paused:
            return self._on_release(Act.RESUME, "Resume", "What is due then begins at once.")
        return self._on_release(
            Act.PAUSE, "Pause", "What runs finishes; nothing begins until somebody resumes."
        )

    def cancel(self) -> ActShown:
        return self._on_release(
            Act.CANCEL, "Cancel the release", "It ends; no user has seen the new version."
        )

    def share(self) -> ActShown:
        return self._on_release(Act.SET_SHARE, "Set the share", "", address="release-share")

    def address(self) -> ActShown:
        return self._on_release(Act.ADD_ADDRESS, "Add to the canary", "", address="release-address")

    def skip(self, step: Step) -> ActShown:
        help_text = "Its approval is asked for at the next step then." if step.gate else ""
        return self._on_step(Act.SKIP, step, f"Skip: {step_title(step)}", help_text)

    def skip_bake(self, step: Step) -> ActShown:
        return self._on_step(Act.SKIP_BAKE, step, f"End the bake time of: {step_title(step)}", "")

    def retry(self, step: Step) -> ActShown:
        again = "Ask again" if step.status == StepStatus.REJECTED else "Try again"
        help_text = "It goes on by itself then: it is started." if step.started_at else ""
        return self._on_step(Act.RETRY, step, f"{again}: plan {step_title(step)} once more", help_text)

    def _on_release(self, act: Act, label: str, help_text: str, *, address: str = "") -> ActShown:
        arguments = [self.release.service.name, self.release.number]
        return self._shown(act, label, help_text, reverse(address or f"release-{act.value}", args=arguments))

    def _on_step(self, act: Act, step: Step, label: str, help_text: str) -> ActShown:
        name = f"step-{act.value.replace('_', '-')}"
        return self._shown(act, label, help_text, reverse(name, args=[self.release.service.name, step.pk]))

    def _shown(self, act: Act, label: str, help_text: str, address: str) -> ActShown:
        answer = self.answers[act.value]
        why = answer.reason if isinstance(answer, Refused) else ""
        return ActShown(id=act.value.replace("_", "-"), label=label, address=address, help=help_text, why=why)


def _refused_altogether(answers: Mapping[str, Decision]) -> str:
    """The reason where a person may not even pause: all of it is refused for the same."""
    pause = answers[Act.PAUSE.value]
    personal = isinstance(pause, Refused) and pause.code.startswith("person:")
    return pause.reason if personal and isinstance(pause, Refused) else ""
