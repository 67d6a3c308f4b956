"""A request as whoever approves it sees it, before there is a plan."""

from collections.abc import Sequence
from dataclasses import dataclass

from releases.domain.lifecycle import StepStatus
from releases.models import Step
from releases.services.approval.gate import Gate
from releases.services.approval.gates import RequestGate
from releases.views.shown.words import step_title


@dataclass(frozen=True, kw_only=True)
class RequestShown:
    """``steps`` are what is left of its course, each with its name; ``versions`` those of now, by name."""

    digest: str
    image: str
    addresses: tuple[str, ...]
    steps: tuple[tuple[str, Step], ...]
    versions: tuple[tuple[str, str], ...]


def request_sentence(step: Step) -> str:
    """What is asked for, in a sentence; of a step of a release."""
    name = step.release.tag if step.release and step.release.tag else "a version"
    return f"Releases {name} to {step.service.name}, step by step, once the request is approved."


def request_of(gate: Gate | None, steps: Sequence[Step]) -> RequestShown | None:
    """The request that waits at this gate, if it is one's."""
    if not isinstance(gate, RequestGate) or gate.request is None:
        return None
    request, left_out = gate.request, {StepStatus.SKIPPED, StepStatus.ABANDONED}
    return RequestShown(
        digest=request.digest,
        image=request.image,
        addresses=tuple(request.canary_addresses),
        steps=tuple((step_title(step), step) for step in steps if step.status not in left_out),
        versions=tuple(sorted(request.versions.items())),
    )
