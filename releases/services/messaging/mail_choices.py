"""Which mails somebody gets, and to which address."""

from collections.abc import Collection

from django.contrib.auth.models import User
from django.db import transaction

from audit import events
from releases.domain.messaging.messages import MessageKind
from releases.models import MailChoice
from releases.services.lifecycle import person


def wanted_by(user: User) -> frozenset[MessageKind]:
    """The kinds that they get; one query."""
    choice = MailChoice.objects.filter(user=user).first()
    unwanted = choice.unwanted if choice else ()
    return frozenset(kind for kind in MessageKind if kind.may_be_unwanted and kind.value not in unwanted)


@transaction.atomic
def choose(*, user: User, email: str, wanted: Collection[MessageKind]) -> None:
    """Get these kinds of mails at this address; "" for none. The trail has the kinds, and that the address changed."""
    account = User.objects.select_for_update().get(pk=user.pk)
    before = {"mails": sorted(wanted_by(account)), "has_address": bool(account.email)}
    is_new_address = account.email != email
    account.email = email
    account.save(update_fields=["email"])
    unwanted = sorted(kind.value for kind in MessageKind if kind.may_be_unwanted and kind not in wanted)
    MailChoice.objects.update_or_create(user=account, defaults={"unwanted": unwanted})
    events.record(
        actor=person(account),
        action="person.mails-chosen",
        subject={"person": account.get_username()},
        before=before,
        after={"mails": sorted(wanted), "has_address": bool(email), "address_changed": is_new_address},
    )
