"""When a message that could not be delivered is tried again."""

from datetime import timedelta

MOST_TRIES = 12
_FIRST, _LONGEST = timedelta(seconds=10), timedelta(hours=1)


def wait_after(tries: int) -> timedelta | None:
    """How long to wait after so many tries, each time twice as long; None when it is given up, after some 4 hours."""
    if tries >= MOST_TRIES:
        return None
    return min(_FIRST * (1 << (tries - 1)), _LONGEST)
