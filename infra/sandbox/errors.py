"""The sandbox's one error."""


class SandboxError(Exception):
    """The sandbox can't start; the message says why and what to do."""
