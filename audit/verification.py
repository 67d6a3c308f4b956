"""Whether the stored trail is as it was recorded."""

from collections.abc import Iterable

from audit.check_chain import Broken, Checkpoint, Sound, check
from audit.stored import first_without_place, whole_chain


def verify(checkpoints: Iterable[Checkpoint] = ()) -> Sound:
    """Walk the stored chain beside the checkpoints, which come in the order of their numbers.

    Raises ``Broken`` at the first event that was changed, is missing, was put in or is out of order.
    """
    with whole_chain() as events:
        sound = check(events, checkpoints)
        stranger = first_without_place()
    if stranger:
        raise Broken(
            sound.events + 1, "inserted", f"The event {stranger} was put in: the chain has no place for it."
        )
    return sound
