"""Names that are wanted again: a set-up that was called off has left nothing at AWS, and gives its name back."""

from itertools import count

from audit import events
from audit.events import Actor
from releases import push, selectors
from releases.domain.provisioning.new_service import LONGEST_NAME
from releases.models import Service

_LONGEST_MARK = len("_9999")


def give_back(name: str, *, actor: Actor) -> None:
    """Let the history of a set-up that was called off go on under another name. The caller has a transaction.

    No new service can be called so: its name has no "_".
    """
    holder = Service.objects.filter(selectors.CALLED_OFF, name=name).select_for_update().first()
    if holder is None:
        return
    holder.name = _free_name(name)
    holder.save(update_fields=["name"])
    events.record(
        actor=actor,
        action="service.renamed",
        service_id=str(holder.pk),
        subject={"service": holder.name},
        before={"name": name},
        after={"name": holder.name},
        reason="Its set-up was called off, and its name is wanted for another service.",
    )
    push.service_changed(holder.pk)


def _free_name(name: str) -> str:
    begin = f"{name[: LONGEST_NAME - _LONGEST_MARK]}_"
    taken = set(Service.objects.filter(name__startswith=begin).values_list("name", flat=True))
    return next(free for free in (f"{begin}{number}" for number in count(1)) if free not in taken)
