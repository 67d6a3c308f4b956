"""What the programs of ``infra.local`` raise when the machine lacks something."""


class LocalError(Exception):
    """Something on this machine keeps Bluegreen from starting; the message says what to do about it."""
