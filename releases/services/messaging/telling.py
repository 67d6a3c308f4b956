"""Notes that people are to be told of something, in the transaction in which it happens: delivered is it afterwards."""

from audit.events import Actor
from releases.domain.messaging.messages import MessageKind
from releases.models import Message, Release, Service, Step

# A failure may be of any length; the page has all of it.
LONGEST_REASON = 4_000


def tell(
    kind: MessageKind,
    service: Service,
    *,
    actor: Actor,
    release: Release | None = None,
    step: Step | None = None,
    reason: str = "",
) -> None:
    """Those whom it concerns are told what has happened: by mail, and by the webhooks that there are."""
    Message.objects.create(
        kind=kind.value,
        service=service,
        release=release or (step.release if step else None),
        step=step,
        about=about(step) if step else "",
        of_request=bool(step and step.request_digest),
        actor_id=actor.id,
        actor_name=actor.name[:200],
        reason=reason[:LONGEST_REASON],
    )


def tell_that_it_waits(step: Step, *, again: bool) -> None:
    """Those who could approve are told that a step's plan, or its release's request, waits.

    Once for each plan and each request, however often it is found, but where it waits ``again``. The caller holds the
    service.
    """
    told = Message.objects.filter(kind=MessageKind.GATE_WAITS.value, step=step, about=about(step))
    if again or not told.exists():
        Message.objects.create(
            kind=MessageKind.GATE_WAITS.value,
            step=step,
            about=about(step),
            service_id=step.service_id,
            release_id=step.release_id,
            of_request=bool(step.request_digest),
        )


def about(step: Step) -> str:
    """The digest of what is decided on at a step now: of its release's request, or of its plan."""
    return step.request_digest or (step.plan_run.plan_sha256 if step.plan_run else "")
