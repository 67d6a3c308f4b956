"""A service in a list: its traffic and the one thing that is worth knowing about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from releases import selectors
from releases.domain.lifecycle import StepStatus
from releases.domain.traffic import ROTATIONS, Color, Transition, is_safe
from releases.models import Release, Service, Step
from releases.views.shown.traffic import TrafficShown, traffic_of
from releases.views.shown.words import Status, Tone, first_line, step_title


@dataclass(frozen=True, kw_only=True)
class ServiceRow:
    """One service of the list; ``release`` is the open one, else the last.

    ``flagged`` are the releases with a broken glass that nobody else has reviewed yet.
    """

    service: Service
    traffic: TrafficShown
    status: Status
    detail: str
    release: Release | None
    since: datetime | None
    flagged: Sequence[Release]

    @property
    def needs_attention(self) -> bool:
        """Whether a person should look: what waits as expected is no alarm."""
        return self.status.tone is Tone.BAD or self.status.word == "Split" or bool(self.flagged)

    @property
    def may_be_released(self) -> bool:
        """Whether a request makes sense, as far as the list knows; the request's page says it exactly."""
        return self.status.word == "Steady"

    @property
    def is_in_progress(self) -> bool:
        """Whether a release is on its way, or people are divided."""
        state, is_open = self.service.state, self.release is not None and self.release.is_open
        return self.service.set_up_at is not None and (
            is_open or not any(is_safe(state, one) for one in Color)
        )

    @property
    def may_be_rolled_back(self) -> bool:
        """Whether somebody is elsewhere than on the safe colour, or a release is on its way."""
        state, safe = self.service.state, Color(self.service.safe_color)
        is_set_up = self.service.set_up_at is not None
        return is_set_up and (not is_safe(state, safe) or (self.release is not None and self.release.is_open))


def service_rows(services: Sequence[Service]) -> list[ServiceRow]:
    """The rows of a page of services, in the given order; two queries."""
    steps = selectors.unfinished_by_service(services)
    releases = selectors.telling_releases(services)
    return [
        _row(service, _telling(steps.get(service.pk, ())), *releases.get(service.pk, (None, ())))
        for service in services
    ]


def _telling(unfinished: Sequence[Step]) -> Step | None:
    """The step that a service is at; the next one where that has failed while the present one bakes."""
    present = next(iter(unfinished), None)
    failed = (step for step in unfinished[1:2] if step.status in {StepStatus.FAILED, StepStatus.REJECTED})
    return next(failed, present) if present and present.status == StepStatus.BAKING else present


def _row(service: Service, step: Step | None, last: Release | None, flagged: Sequence[Release]) -> ServiceRow:
    if step is None:
        status, detail = _without_step(service)
    else:
        status, detail = _step_in_words(step)
    since = (last.ended_at or last.requested_at) if last else None
    return ServiceRow(
        service=service,
        traffic=traffic_of(service),
        status=status,
        detail=detail,
        release=last,
        since=since,
        flagged=flagged,
    )


def _step_in_words(step: Step) -> tuple[Status, str]:
    title = step_title(step)
    words = {
        StepStatus.FAILED: (Status(word="Failed", tone=Tone.BAD), f"{title}: {first_line(step.problem)}"),
        StepStatus.REJECTED: (Status(word="Rejected", tone=Tone.BAD), title),
        StepStatus.BAKING: (Status(word="Bakes", tone=Tone.GO), title),
        StepStatus.WAITING: (_waiting(step), title),
        **({StepStatus.PENDING: (_waiting(step), "Request")} if step.request_digest else {}),
    }
    if (
        step.release
        and step.release.is_paused
        and step.status not in {StepStatus.FAILED, StepStatus.REJECTED}
    ):
        return Status(word="Paused", tone=Tone.WARN), title
    going_on = Status(word=_going_on(step), tone=Tone.GO)
    return words.get(StepStatus(step.status), (going_on, title))


def _waiting(step: Step) -> Status:
    if step.wanted:
        return Status(word="Waits for approval", tone=Tone.WARN)
    if step.started_at is None and not step.automatic:
        return Status(word="Waits for start", tone=Tone.WARN)
    return Status(word="In release", tone=Tone.GO)


def _going_on(step: Step) -> str:
    if step.release is None and step.transition in ROTATIONS:
        return "Being prepared"
    words = {
        Transition.SET_UP.value: "Being set up",
        Transition.ROLLBACK.value: "Rolled back",
        Transition.SETTINGS.value: "Being changed",
        Transition.REMOVE.value: "Being removed",
    }
    return words.get(step.transition, "In release")


def _without_step(service: Service) -> tuple[Status, str]:
    if service.set_up_at is None:
        return Status(word="Not set up", tone=Tone.IDLE), ""
    state = service.state
    if 0 < state.green_weight < 100 or state.activate_canary:
        return Status(word="Split", tone=Tone.WARN), "Users are divided, and no release is open."
    return Status(word="Steady", tone=Tone.OK), ""
