"""From what has happened to deliveries, and each delivery until it is there: all of it is in the database.

1. :func:`spread` finds out, once, whom a message goes to, and what it says.
2. :func:`deliver` sends what is due. It claims a delivery first, so that two workers never send the same one at once;
   one that dies while it sends leaves its claim, and the message is sent again after that: rather twice than never.
3. What fails is tried again, each time later; given up, it can be tried again by hand.
"""

import logging
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Greatest, Now

from releases.domain.messaging.messages import MessageKind
from releases.domain.messaging.retries import wait_after
from releases.models import Delivery, DeliveryState, Message, Step
from releases.selectors import AT_A_GATE
from releases.services.lifecycle import SYSTEM, now
from releases.services.messaging import message_contents, postman, recipients
from releases.services.messaging.postman import NotDelivered
from releases.services.messaging.telling import tell

logger = logging.getLogger(__name__)

AT_ONCE = 20
# One sending ends by itself long before this.
CLAIM = timedelta(seconds=60)
# The worker has more to do than to wait for others' servers.
LONGEST = timedelta(seconds=20)
MOST_REMINDERS = 3
KEPT = timedelta(days=90)
_WAITING = Q(state=DeliveryState.WAITING.value)
_WITH_ALL = (
    *(
        "message__service",
        "message__release__requested_by",
        "message__step__release",
        "message__step__plan_run",
    ),
    *("person", "webhook"),
)


def work() -> None:
    """All that is due: reminders, whom messages go to, and the sending. One process at a time is enough."""
    remind()
    spread()
    if not Delivery.objects.filter(_WAITING, claimed_until__gt=Now()).exists():
        deliver()


def spread() -> int:
    """Make the deliveries of new messages; gives how many messages there were."""
    found = Message.objects.filter(spread_at__isnull=True).order_by("created_at", "pk")
    ids = list(found.values_list("pk", flat=True)[:AT_ONCE])
    for message_id in ids:
        _spread(message_id)
    return len(ids)


def deliver() -> int:
    """Send what is due, the longest due first, for as long as that may take; gives how many were tried."""
    until, tried = now() + LONGEST, 0
    while now() < until and (delivery := _claim()):
        _deliver(delivery)
        tried += 1
    return tried


def try_again(delivery_id: UUID) -> bool:
    """Let one that was given up be tried again, from the beginning; False where it was not."""
    given_up = Delivery.objects.filter(pk=delivery_id, state=DeliveryState.FAILED.value)
    return bool(
        given_up.update(state=DeliveryState.WAITING.value, tries=0, next_try_at=Now(), claimed_until=None)
    )


def remind() -> int:
    """Tell again of plans that have waited for long; at most some times since it was told that they wait.

    Gives of how many.
    """
    if not settings.REMIND_AFTER_HOURS:
        return 0
    before = now() - timedelta(hours=settings.REMIND_AFTER_HOURS)
    told = Message.objects.filter(kind=MessageKind.GATE_WAITS.value, step=OuterRef("pk"))
    told_at = told.order_by("-created_at").values("created_at")[:1]
    since = Greatest(F("asked_at"), Subquery(told_at))
    asked = Q(messages__kind=MessageKind.GATE_STILL_WAITS.value, messages__created_at__gte=since)
    lately = Message.objects.filter(created_at__gt=before, step__isnull=False).values("step")
    due = Step.objects.filter(AT_A_GATE, asked_at__lte=before).exclude(wanted=[]).exclude(pk__in=lately)
    steps = due.annotate(reminders=Count("messages", filter=asked)).filter(reminders__lt=MOST_REMINDERS)
    ids = list(steps.values_list("pk", flat=True)[:AT_ONCE])
    return sum(_remind(step_id, before) for step_id in ids)


def prune() -> int:
    """Remove messages that are old, with their deliveries; gives how many rows went."""
    old = Message.objects.filter(created_at__lt=now() - KEPT, spread_at__isnull=False)
    removed, _ = Message.objects.filter(pk__in=old.values("pk")[:1_000]).delete()
    return removed


@transaction.atomic
def _remind(step_id: UUID, before: datetime) -> bool:
    """Under the step's own lock, so that two schedulers remind once."""
    step = Step.objects.select_for_update(of=("self",)).select_related("service", "release", "plan_run")
    locked = step.get(pk=step_id)
    if Message.objects.filter(step=locked, created_at__gt=before).exists():
        return False
    tell(MessageKind.GATE_STILL_WAITS, locked.service, step=locked, actor=SYSTEM)
    return True


@transaction.atomic
def _spread(message_id: UUID) -> None:
    unspread = Message.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        spread_at__isnull=True
    )
    message = unspread.select_related(
        "service", "release__requested_by", "step__release", "step__plan_run", "step__requested_by", "step__started_by"
    ).filter(pk=message_id).first()  # fmt: skip
    if message is None:
        return
    if recipients.is_needed(message):
        message.content = asdict(message_contents.content_of(message))
        to_people = [
            Delivery(message=message, person=one, to=one.username) for one in recipients.people(message)
        ]
        to_webhooks = [
            Delivery(message=message, webhook=one, to=one.host) for one in recipients.webhooks(message)
        ]
        Delivery.objects.bulk_create([*to_people, *to_webhooks])
    message.spread_at = now()
    message.save(update_fields=["content", "spread_at"])


@transaction.atomic
def _claim() -> Delivery | None:
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=Now())
    due = Delivery.objects.select_for_update(skip_locked=True, of=("self",)).filter(_WAITING, free)
    delivery = due.filter(next_try_at__lte=Now()).select_related(*_WITH_ALL).order_by("next_try_at").first()
    if delivery is not None:
        delivery.tries += 1
        delivery.claimed_until = now() + CLAIM
        delivery.save(update_fields=["tries", "claimed_until"])
    return delivery


def _deliver(delivery: Delivery) -> None:
    try:
        is_sent = recipients.is_needed(delivery.message) and postman.send(delivery)
    except NotDelivered as problem:
        _failed(delivery, problem)
    else:
        _end(delivery, DeliveryState.SENT if is_sent else DeliveryState.DROPPED)


def _end(delivery: Delivery, state: DeliveryState) -> None:
    sent_at = now() if state is DeliveryState.SENT else None
    _mine(delivery).update(state=state.value, sent_at=sent_at, claimed_until=None, last_error="")


def _failed(delivery: Delivery, problem: NotDelivered) -> None:
    logger.warning("message %s to %s was not delivered: %s", delivery.message_id, delivery.to, problem)
    wait = wait_after(delivery.tries)
    state = DeliveryState.WAITING if wait else DeliveryState.FAILED
    later = now() + (wait or timedelta())
    _mine(delivery).update(
        state=state.value, next_try_at=later, claimed_until=None, last_error=str(problem)[:500]
    )


def _mine(delivery: Delivery) -> QuerySet[Delivery]:
    """The row, if nobody has claimed it since."""
    return Delivery.objects.filter(pk=delivery.pk, claimed_until=delivery.claimed_until)
