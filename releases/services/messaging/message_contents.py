"""What a message says, and where its link leads."""

from django.conf import settings
from django.urls import reverse

from releases.domain.messaging.messages import MessageKind, Told
from releases.domain.step_titles import title_of
from releases.domain.traffic import Transition
from releases.models import Message, Release
from releases.services.approval.plan_sentences import sentence_of
from releases.services.approval.risks import risk_of


def content_of(message: Message) -> Told:
    """A message's content as things are now. Some queries, none of them many."""
    kind, service, release, step = MessageKind(message.kind), message.service, message.release, message.step
    has_plan = (
        step is not None and step.plan_run is not None and bool(step.state_after) and not message.of_request
    )
    risk = risk_of(step) if step and has_plan and kind.asks else None
    return Told(
        kind=kind,
        service=service.name,
        environment=service.environment,
        release=str(release or ""),
        step=_title(message),
        versions=f"{release.from_tag or '?'} → {release.tag or '?'}" if release else "",
        plan=message.about[:4] if has_plan and kind.asks else "",
        sentence=sentence_of(service, step) if step and has_plan else "",
        risk=risk.word if risk else "",
        risk_reason=risk.reason if risk else "",
        actor=message.actor_name,
        reason=message.reason or _asked_with(message, release),
        link=f"{settings.PUBLIC_URL}{_path(message)}",
    )


def _title(message: Message) -> str:
    if message.of_request:
        return "Request"
    return title_of(Transition(message.step.transition), message.step.candidate_share) if message.step else ""


def _asked_with(message: Message, release: Release | None) -> str:
    """What was said with the request: at a gate that is what a decision begins with."""
    if not MessageKind(message.kind).asks:
        return ""
    return release.reason if release else (message.step.reason if message.step else "")


def _path(message: Message) -> str:
    if message.step is not None and MessageKind(message.kind).asks:
        return reverse("inbox-item", args=[message.step.pk])
    if message.release is not None:
        return reverse("release-detail", args=[message.service.name, message.release.number])
    return reverse("service-detail", args=[message.service.name])
