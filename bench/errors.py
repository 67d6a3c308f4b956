"""What a benchmark raises when it has no figure to give."""


class CannotMeasure(Exception):
    """Something did not do what was to be measured; the message says what."""
