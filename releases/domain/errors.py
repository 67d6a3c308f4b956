"""What the rules refuse: each with a stable code for programs and a message for people."""


class DomainError(Exception):
    """A rule said no.

    `code` is stable and may be stored or answered by an API ("transition:illegal"); `message` is a
    sentence for the person who asked, and says what to do where there is something to do.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class InvalidTraffic(DomainError):
    """A traffic state, share or version that cannot exist."""


class IllegalTransition(DomainError):
    """A transition that may not follow from this traffic state."""


class IllegalChange(DomainError):
    """A status that may not follow the present one, mostly because somebody else was faster."""


class InvalidRolloutPlan(DomainError):
    """Weights, gates or a start from which no rollout plan can be made."""


class InvalidCanary(DomainError):
    """Addresses or a header that the canary cannot have."""
