"""Messages on their way, as those who look after them see them."""

from collections.abc import Sequence
from dataclasses import dataclass

from releases.domain.messaging.messages import MessageKind, Told
from releases.models import Delivery, DeliveryState
from releases.views.shown.words import Status, Tone

_STATES = {
    DeliveryState.WAITING.value: Status(word="on its way", tone=Tone.GO),
    DeliveryState.SENT.value: Status(word="delivered", tone=Tone.OK),
    DeliveryState.FAILED.value: Status(word="given up", tone=Tone.BAD),
    DeliveryState.DROPPED.value: Status(word="no longer needed", tone=Tone.IDLE),
}


@dataclass(frozen=True, kw_only=True)
class DeliveryShown:
    """One message to one person or webhook; ``way`` is how it goes there."""

    delivery: Delivery
    headline: str
    way: str
    status: Status

    @property
    def may_be_tried_again(self) -> bool:
        """Whether nothing more happens with it by itself."""
        return self.delivery.state == DeliveryState.FAILED.value


def deliveries_shown(deliveries: Sequence[Delivery]) -> list[DeliveryShown]:
    """These deliveries; no query where their messages were read with them."""
    return [
        DeliveryShown(
            delivery=one,
            headline=_told(one).headline,
            way="mail" if one.person_id else "webhook",
            status=_tried(one),
        )
        for one in deliveries
    ]


def _tried(delivery: Delivery) -> Status:
    if delivery.state == DeliveryState.WAITING.value and delivery.last_error:
        return Status(word="tried again soon", tone=Tone.WARN)
    return _STATES[delivery.state]


def _told(delivery: Delivery) -> Told:
    return Told(**{**delivery.message.content, "kind": MessageKind(delivery.message.kind)})
