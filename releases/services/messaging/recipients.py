"""Whom a message is for: those who could decide, or those whose release it is; and which of them want a mail of it."""

from collections.abc import Sequence

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q

from releases.domain.access.decisions import Permission
from releases.domain.messaging.messages import MessageKind
from releases.models import MailChoice, Message, Step, Webhook
from releases.permissions import holders
from releases.selectors import AT_A_GATE
from releases.services.approval.gates import gate_now
from releases.services.messaging.telling import about


def is_needed(message: Message) -> bool:
    """Whether it still says something: at a gate that is open, or has another plan by now, nobody is asked any more."""
    step = message.step
    if not MessageKind(message.kind).asks or step is None:
        return True
    at_a_gate = Step.objects.filter(AT_A_GATE, pk=step.pk).exclude(wanted=[])
    return about(step) == message.about and at_a_gate.exists()


def people(message: Message) -> list[User]:
    """Who gets a mail: of those concerned who may see the service, all with an address who want this kind."""
    if not settings.MAIL_IS_SET_UP:
        return []
    concerned = _concerned_ids(message)
    may_see = [
        user for user in holders(message.service, Permission.VIEW) if user.pk in concerned and user.email
    ]
    unwanted = dict(MailChoice.objects.filter(user__in=may_see).values_list("user_id", "unwanted"))
    return [user for user in may_see if message.kind not in unwanted.get(user.pk, ())]


def webhooks(message: Message) -> list[Webhook]:
    """The service's, and the one for all."""
    return list(Webhook.objects.filter(Q(service=message.service_id) | Q(service__isnull=True)))


def _concerned_ids(message: Message) -> set[int]:
    """Nobody is told of what they did themselves; a test is for nobody else."""
    actor = {_number(message.actor_id)}
    if message.kind == MessageKind.TEST:
        return actor
    return {user.pk for user in _concerned(message)} - actor


def _concerned(message: Message) -> Sequence[User]:
    kind, service, step = MessageKind(message.kind), message.service, message.step
    if kind.asks:
        gate = gate_now(service, step)
        return gate.could if gate else []
    askers = [message.release.requested_by if message.release else None, step.requested_by if step else None]
    if kind is MessageKind.FAILED and step:
        askers.append(step.started_by)
    if kind is MessageKind.BREAK_GLASS:
        askers += [*holders(service, Permission.APPROVE), *holders(service, Permission.MANAGE)]
    return [asker for asker in askers if asker is not None]


def _number(actor_id: str) -> int:
    return int(actor_id) if actor_id.isdecimal() else 0
