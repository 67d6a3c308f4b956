"""Whether this worker is to hand over what it runs: asked by its main process, seen by those that it has forked."""

import mmap

# Memory that is shared with every process that is forked from this one.
_asked = mmap.mmap(-1, 1)


def ask() -> None:
    """Ask all processes of this worker to end what they run gently, so that another worker goes on with it."""
    _asked[0] = 1


def is_asked() -> bool:
    """Whether that was asked."""
    return _asked[0] == 1
